package io.pensieve.log.file;

import io.pensieve.log.Durability;
import io.pensieve.log.RecoveryReport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Prepares a recovered log for appends: a new segment, and an empty ring. */
final class EndOfRecovery {
  // plan() decides, from what recovery found alone; begin() carries the steps out, one by one. They
  // are numbered in Step, as in DESIGN.md.
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
  private final Settings settings;

  // What the steps have made so far.
  private Optional<RecoveryReport.TornTail> tornTail = Optional.empty();
  private @Nullable Segment segment;
  private @Nullable RingBuffer ring;

  EndOfRecovery(LogDirectory directory, Settings settings) {
    this.directory = directory;
    this.disk = directory.disk();
    this.settings = settings;
  }

  /**
   * What a session starts with.
   *
   * @param allocatedBytes the length of its first segment's file, zeros ahead; 0 for none
   */
  record Settings(
      SequenceOrigin origin,
      Durability durability,
      int ringBytes,
      long allocatedBytes,
      long segmentBytes) {}

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

  /**
   * How a log goes on.
   *
   * @param start the session's segment
   * @param steps what to do, in this order
   */
  record Plan(FileHeader start, List<Step> steps) {}

  /** A step of a plan: what is to be done, and to which file. */
  sealed interface Step {
    void carryOut(EndOfRecovery log) throws IOException;

    /**
     * Step 1. The process that died may not have forced the names that recovery found, and the next
     * steps rely on them. Otherwise a power cut could keep a successor and lose the file before it.
     */
    record ForceFolder() implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.directory.forceFolder();
      }
    }

    /** Step 2. Deletes temporary files, the opening's reserve among them, and history in a base. */
    record DeleteLeftovers(long base) implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.directory.deleteTemporaries();
        log.directory.deleteBefore(base);
      }
    }

    /** Step 3. Copies the torn tail aside, to `.torn-n`. */
    record KeepTornTail(Path segment, long offset, long bytes) implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.keepTornTail(this);
      }
    }

    /**
     * Step 4. Copies what is not known to be forced, from segment and ring, to a new segment.
     *
     * @param from the segment's file, from this offset on
     * @param bytes the bytes there; the rest is in the ring
     * @param to the header of the new segment
     */
    record CopyUnforced(Path from, long offset, long bytes, UnforcedFrames rest, FileHeader to)
        implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.copyUnforced(this);
      }
    }

    /** Step 5. Creates the segment to write to, with a new salt. */
    record CreateSegment(FileHeader header) implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.segment = log.createSegment(header);
      }
    }

    /** Step 6. Creates a ring with that salt. In a new folder it comes before step 5. */
    record CreateRing(long start, long salt) implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.ring = log.createRing(this);
      }
    }

    /**
     * Step 7. Cuts the old segment where it is known to be forced: off go the torn tail and what
     * step 4 copied. If step 4 replaced the whole segment, there is nothing to cut.
     */
    record TrimSegment(Path old, long bytes) implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        try (Disk.File file = log.disk.open(old)) {
          file.truncate(bytes);
        }
      }
    }

    /** Step 7, if the old segment has no change. */
    record DeleteSegment(Path old) implements Step {
      @Override
      public void carryOut(EndOfRecovery log) throws IOException {
        log.disk.delete(old);
      }
    }
  }

  /**
   * Decides how a log goes on from what recovery found.
   *
   * @param origin where the session's positions begin
   */
  static Plan plan(RecoveredState found, boolean hasRing, SequenceOrigin origin, long salt) {
    RecoveredState.NewestSegment newest = found.newest();
    boolean hasUnforced = found.durable() < found.end();
    // Nothing of the newest segment is known to be forced: the copy replaces it, under its name.
    boolean isReplacedByCopy =
        hasUnforced && newest != null && found.durable() == newest.header().firstPosition();
    // The newest segment was closed without a change: the new one follows its predecessor. Until it
    // is deleted, it ends before it begins: see Recovery.
    boolean isReplacedByStart =
        newest != null && found.clean() && found.end() == newest.header().firstPosition();

    long position =
        origin.after(found.end() + (found.clean() ? 0 : SequenceOrigin.POSITIONS_SKIPPED));
    long previousEnd =
        newest != null && isReplacedByStart
            ? Math.max(newest.header().previousEnd(), found.base())
            : found.end();
    FileHeader start = FileHeader.segment(position, previousEnd, salt);

    List<Step> steps = new ArrayList<>();
    steps.add(new Step.ForceFolder());
    steps.add(new Step.DeleteLeftovers(found.base()));
    if (newest != null && found.tornBytes() > 0) {
      long offset = newest.offset(found.end());
      steps.add(new Step.KeepTornTail(newest.path(), offset, found.tornBytes()));
    }
    if (newest != null && hasUnforced) {
      steps.add(copyUnforced(newest, found, isReplacedByCopy));
    }
    steps.add(new Step.CreateSegment(start));
    steps.add(hasRing ? steps.size() : steps.size() - 1, new Step.CreateRing(position, salt));
    if (newest != null && isReplacedByStart) {
      if (newest.header().firstPosition() != position) { // else the new one has its name
        steps.add(new Step.DeleteSegment(newest.path()));
      }
    } else if (newest != null && !isReplacedByCopy) {
      steps.add(new Step.TrimSegment(newest.path(), newest.offset(found.durable())));
    }
    return new Plan(start, List.copyOf(steps));
  }

  private static Step copyUnforced(
      RecoveredState.NewestSegment newest, RecoveredState found, boolean isWhole) {
    long from = found.durable();
    long previousEnd = isWhole ? newest.header().previousEnd() : from;
    return new Step.CopyUnforced(
        newest.path(),
        newest.offset(from),
        Math.max(0, found.inRing().from() - from),
        found.inRing(),
        FileHeader.segment(from, previousEnd, newest.header().salt()));
  }

  /** Plans, and carries the plan out. */
  StartingPoint begin(RecoveredState found) throws IOException {
    Plan plan = plan(found, directory.hasRing(), settings.origin(), SALTS.nextLong());
    try {
      for (Step step : plan.steps()) {
        step.carryOut(this);
      }
    } catch (IOException | RuntimeException refused) {
      if (segment != null) {
        segment.close();
      }
      throw refused;
    }
    return new StartingPoint(
        Objects.requireNonNull(segment),
        Objects.requireNonNull(ring),
        plan.start().salt(),
        plan.start().previousEnd(),
        tornTail);
  }

  private void keepTornTail(Step.KeepTornTail torn) throws IOException {
    Path copy = directory.tornCopy(torn.segment());
    Path temporary = directory.temporary(LogDirectory.TORN);
    try (Disk.File from = disk.open(torn.segment());
        Disk.File to = disk.create(temporary)) {
      copy(from, torn.offset(), to, 0, torn.bytes());
      directory.publish(to, temporary, copy);
    }
    tornTail =
        Optional.of(new RecoveryReport.TornTail(torn.segment(), torn.offset(), torn.bytes(), copy));
  }

  private void copyUnforced(Step.CopyUnforced tail) throws IOException {
    Path temporary = directory.temporary(LogDirectory.TAIL);
    try (Disk.File source = disk.open(tail.from());
        Disk.File copy = disk.create(temporary)) {
      long body = FileHeader.BYTES;
      copy(source, tail.offset(), copy, body, tail.bytes());
      long inRing = tail.to().firstPosition() + tail.bytes();
      tail.rest().copy(directory, inRing, copy, body + tail.bytes());
      Segment.publish(directory, copy, temporary, tail.to(), Long.MAX_VALUE / 2);
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

  private Segment createSegment(FileHeader header) throws IOException {
    Path temporary = directory.temporary(LogDirectory.FIRST);
    long allocated = settings.allocatedBytes();
    Disk.File file = allocate(temporary, allocated);
    try {
      long bytesMax = allocated == 0 ? settings.segmentBytes() : allocated - FileHeader.BYTES;
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

  private RingBuffer createRing(Step.CreateRing step) throws IOException {
    boolean survivesProcess = settings.durability() == Durability.PROCESS_DEATH;
    FileHeader header =
        FileHeader.ring(
            step.start(), step.salt(), settings.ringBytes(), disk.boot(), survivesProcess);
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
}
