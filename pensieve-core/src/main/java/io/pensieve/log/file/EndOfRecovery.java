package io.pensieve.log.file;

import io.pensieve.log.Durability;
import io.pensieve.log.RecoveryReport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;

/** Prepares a recovered log for appends: a new segment, and an empty ring. */
final class EndOfRecovery {
  // The steps, as DESIGN.md names them:
  // 1. Force the folder.
  // 2. Delete temporary files, the opening's reserve among them, and what lies before the base.
  // 3. Copy the torn tail aside, to `.torn-n`.
  // 4. Copy what is not known to be forced, from segment and ring, to a new segment.
  // 5. Create the segment to write to, with a new salt.
  // 6. Create a ring with that salt. In a new folder the ring comes first.
  // 7. Trim the old segment.
  //
  // Why copy. Nothing is ever appended to a segment of an earlier session: after a failed force its
  // pages may be readable and not on the disk. So unforced frames are copied and forced.
  //
  // Crash safety. After a crash between any two steps, recovery finds the same history. The copy of
  // the tail has the frames that it replaces, position by position. The ring is replaced only when
  // everything in it is in a forced segment with another salt. In a folder without a ring, the ring
  // is created before the segment. So an unclosed segment without a ring has lost it.

  private static final SecureRandom SALTS = new SecureRandom();
  private static final int COPY_BYTES = 1 << 20;

  private final LogDirectory directory;
  private final Disk disk;
  private final RecoveredState recovered;

  EndOfRecovery(LogDirectory directory, RecoveredState recovered) {
    this.directory = directory;
    this.disk = directory.disk();
    this.recovered = recovered;
  }

  /**
   * The starting point of a session.
   *
   * @param previousEnd where the history before this session ends
   */
  record StartingPoint(
      Segment segment,
      RingBuffer ring,
      long salt,
      long previousEnd,
      Optional<RecoveryReport.TornTail> tornTail) {}

  StartingPoint begin(
      SequenceOrigin origin,
      Durability durability,
      int ringBytes,
      long allocatedBytes,
      long segmentBytes)
      throws IOException {
    // Step 1. The process that died may not have forced the names that recovery found, and the next
    // steps rely on them. Otherwise a power cut could keep a successor and lose the file before it.
    directory.forceFolder();
    directory.deleteTemporaries();
    directory.deleteBefore(recovered.base());
    Optional<RecoveryReport.TornTail> tornTail = keepTornTail();
    if (recovered.durable() < recovered.end()) {
      copyTail();
    }
    long start =
        origin.after(recovered.end() + (recovered.clean() ? 0 : SequenceOrigin.POSITIONS_SKIPPED));
    long previousEnd = previousEndOfStart();
    long salt = SALTS.nextLong();
    RingBuffer first = directory.hasRing() ? null : ring(durability, ringBytes, start, salt);
    Segment segment =
        segment(
            FileHeader.segment(start, previousEnd, salt),
            allocatedBytes,
            allocatedBytes == 0 ? segmentBytes : allocatedBytes - FileHeader.BYTES);
    try {
      RingBuffer ring = first == null ? ring(durability, ringBytes, start, salt) : first;
      trimOldSegment(start);
      return new StartingPoint(segment, ring, salt, previousEnd, tornTail);
    } catch (IOException | RuntimeException refused) {
      segment.close();
      throw refused;
    }
  }

  private long previousEndOfStart() {
    RecoveredState.NewestSegment newest = recovered.newest();
    return newest != null && isReplacedByStart(newest)
        ? Math.max(newest.header().previousEnd(), recovered.base())
        : recovered.end();
  }

  // A segment closed without a single change holds no history, so the new segment follows its
  // predecessor. Until it is deleted, it ends before it begins: see Recovery.
  private boolean isReplacedByStart(RecoveredState.NewestSegment newest) {
    return recovered.clean() && recovered.end() == newest.header().firstPosition();
  }

  private boolean isReplacedByCopy(RecoveredState.NewestSegment newest) {
    return recovered.durable() < recovered.end()
        && recovered.durable() == newest.header().firstPosition();
  }

  private Optional<RecoveryReport.TornTail> keepTornTail() throws IOException {
    RecoveredState.NewestSegment newest = recovered.newest();
    if (newest == null || recovered.tornBytes() == 0) {
      return Optional.empty();
    }
    Path copy = directory.tornCopy(newest.path());
    Path temporary = directory.temporary(LogDirectory.TORN);
    long offset = newest.offset(recovered.end());
    try (Disk.File from = disk.open(newest.path());
        Disk.File to = disk.create(temporary)) {
      copy(from, offset, to, 0, recovered.tornBytes());
      directory.publish(to, temporary, copy);
    }
    return Optional.of(
        new RecoveryReport.TornTail(newest.path(), offset, recovered.tornBytes(), copy));
  }

  private void copyTail() throws IOException {
    RecoveredState.NewestSegment newest = recovered.newest();
    assert newest != null : "a log without segments has no tail";
    long from = recovered.durable();
    boolean isWhole = isReplacedByCopy(newest);
    FileHeader header =
        FileHeader.segment(
            from, isWhole ? newest.header().previousEnd() : from, newest.header().salt());
    Path temporary = directory.temporary(LogDirectory.TAIL);
    try (Disk.File source = disk.open(newest.path());
        Disk.File copy = disk.create(temporary)) {
      long inSegment = Math.max(0, recovered.ringTail().from() - from);
      long body = FileHeader.BYTES;
      copy(source, newest.offset(from), copy, body, inSegment);
      recovered.ringTail().copy(directory, from + inSegment, copy, body + inSegment);
      Segment.publish(directory, copy, temporary, header, Long.MAX_VALUE / 2);
    }
  }

  private static void copy(Disk.File from, long offset, Disk.File to, long toOffset, long bytes)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(COPY_BYTES, bytes));
    for (long done = 0; done < bytes; done += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - done));
      from.read(buffer, offset + done);
      to.write(buffer.flip(), toOffset + done);
    }
  }

  private Segment segment(FileHeader header, long allocatedBytes, long bytesMax)
      throws IOException {
    Path temporary = directory.temporary(LogDirectory.FIRST);
    Disk.File file = allocate(temporary, allocatedBytes);
    try {
      return Segment.publish(directory, file, temporary, header, bytesMax);
    } catch (IOException | RuntimeException refused) {
      file.close();
      throw refused;
    }
  }

  // The zeros serve speed only. On a full disk the file starts empty and grows with each write.
  private Disk.File allocate(Path temporary, long bytes) throws IOException {
    try {
      return Segment.allocate(disk, temporary, bytes, () -> true);
    } catch (IOException noRoom) {
      if (bytes == 0) {
        throw noRoom;
      }
      return Segment.allocate(disk, temporary, 0, () -> true);
    }
  }

  private RingBuffer ring(Durability durability, int ringBytes, long start, long salt)
      throws IOException {
    FileHeader header =
        FileHeader.ring(
            start, salt, ringBytes, disk.boot(), durability == Durability.PROCESS_DEATH);
    try {
      return newRing(header);
    } catch (IOException noRoom) {
      return reusedRing(header, noRoom);
    }
  }

  private RingBuffer newRing(FileHeader header) throws IOException {
    Path temporary = directory.temporary(LogDirectory.RING);
    int fileBytes = FileHeader.BYTES + (int) header.capacity();
    // Write real zeros to all of it: on a full disk, a store to a hole of a mapped file kills the
    // JVM.
    try (Disk.File file = Segment.allocate(disk, temporary, fileBytes, () -> true)) {
      RingBuffer ring = mapped(file, header);
      directory.publish(file, temporary, directory.ring());
      return ring;
    }
  }

  // Only for a full disk: a power cut may tear the header, and then the log is refused. No change
  // is lost: all ring content is in forced segments. The segment created just before has another
  // salt, so recovery ignores the old ring until the new header is there. The zeros are forced
  // before the header.
  private RingBuffer reusedRing(FileHeader header, IOException noRoom) throws IOException {
    try {
      directory.deleteTemporaries();
      try (Disk.File file = disk.open(directory.ring())) {
        if (file.size() != FileHeader.BYTES + header.capacity()) {
          throw noRoom;
        }
        ByteBuffer memory = file.map((int) file.size());
        memory.put(FileHeader.BYTES, new byte[(int) header.capacity()]);
        file.force();
        RingBuffer ring = mapped(file, header);
        file.force();
        return ring;
      }
    } catch (IOException alsoBroken) {
      if (alsoBroken != noRoom) {
        noRoom.addSuppressed(alsoBroken);
      }
      throw noRoom;
    }
  }

  private static RingBuffer mapped(Disk.File file, FileHeader header) throws IOException {
    int capacity = (int) header.capacity();
    ByteBuffer memory = file.map(FileHeader.BYTES + capacity);
    memory.put(0, header.encode());
    RingBuffer ring = new RingBuffer(memory, capacity, header.firstPosition(), header.salt());
    ring.release(header.firstPosition(), header.firstPosition());
    return ring;
  }

  /** Step 7. Frees the old segment's space behind its end, which recovery ignores from now on. */
  private void trimOldSegment(long start) throws IOException {
    RecoveredState.NewestSegment newest = recovered.newest();
    if (newest == null || isReplacedByCopy(newest)) {
      return;
    }
    if (isReplacedByStart(newest)) {
      if (newest.header().firstPosition() != start) {
        disk.delete(newest.path());
      }
      return;
    }
    try (Disk.File file = disk.open(newest.path())) {
      file.truncate(newest.offset(recovered.durable()));
    }
  }
}
