package io.pensieve.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads a log's history and tells torn tail from damage. Changes nothing on the disk. */
final class Recovery<K, V> {
  // A base says that the log was forced up to where it ended then: less is damage. Of the segments,
  // those count from which something follows the base; whatever is older is not looked at.
  // Older segments were forced before the next one got its name: in them everything must be there.
  // The newest one may end anywhere behind the last force. A bad frame in it is a torn tail unless
  // some whole frame, in it or in the ring, knows that the bad one was forced. What follows in the
  // ring then goes on where the segment ends.

  private final LogDirectory directory;
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final Replay<K, V> replay;

  Recovery(LogDirectory directory, Codec<K> keyCodec, Codec<V> valueCodec, Replay<K, V> replay) {
    this.directory = directory;
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.replay = replay;
  }

  /** What was found, and how much of it was told; of that, what was in a base. */
  record Result(Recovered recovered, long changes, long bytes, long baseBytes) {}

  Result run() throws IOException {
    directory.refuseIfUnfinished();
    try (BaseReader base = BaseReader.open(directory)) {
      return run(base);
    }
  }

  private Result run(BaseReader base) throws IOException {
    List<OpenSegment> segments = open(base.position());
    try {
      long total = segments.stream().mapToLong(OpenSegment::contentBytes).sum() + base.bytes();
      Teller<K, V> teller = new Teller<>(keyCodec, valueCodec, replay, total);
      long forced = base.tell(teller);
      long baseBytes = teller.bytes();
      Recovered recovered =
          segments.isEmpty() ? nothing(base) : read(segments, base.position(), forced, teller);
      replay.progress(teller.bytes(), teller.bytes());
      return new Result(recovered, teller.changes(), teller.bytes(), baseBytes);
    } finally {
      for (OpenSegment segment : segments) {
        segment.file.close();
      }
    }
  }

  private record OpenSegment(
      Path path, Disk.File file, Format.FileHeader header, long contentBytes) {

    FrameReader reader() {
      return new FrameReader(
          (into, at) -> file.read(into, Format.FILE_HEADER_BYTES + at),
          contentBytes,
          header.firstPosition(),
          header.salt());
    }

    long offset(long position) {
      return Format.FILE_HEADER_BYTES + position - header.firstPosition();
    }

    LogException.Corrupt corrupt(long position, String expected, String found) {
      return new LogException.Corrupt(path, offset(position), expected, found);
    }
  }

  private Recovered nothing(BaseReader base) throws IOException {
    if (base.isPresent() || directory.hasRing()) {
      throw new LogException.Corrupt(
          directory.folder(), 0, "a segment, since there is a base or a ring", "none");
    }
    return Recovered.nothing();
  }

  private List<OpenSegment> open(long base) throws IOException {
    List<OpenSegment> segments = new ArrayList<>();
    List<Long> all = directory.segments();
    int first = 0;
    while (first + 1 < all.size() && all.get(first + 1) <= base) {
      first++;
    }
    try {
      for (long firstPosition : all.subList(first, all.size())) {
        segments.add(open(directory.segment(firstPosition), firstPosition));
      }
      return segments;
    } catch (IOException | RuntimeException unreadable) {
      for (OpenSegment segment : segments) {
        segment.file.close();
      }
      throw unreadable;
    }
  }

  private OpenSegment open(Path path, long firstPosition) throws IOException {
    Disk.File file = directory.disk().open(path);
    try {
      Format.FileHeader header =
          Format.FileHeader.decode(Format.FileHeader.page(file), path, Format.SEGMENT);
      if (header.firstPosition() != firstPosition) {
        throw new LogException.Corrupt(
            path, 0, "the position of the name", Long.toHexString(header.firstPosition()));
      }
      return new OpenSegment(path, file, header, file.size() - Format.FILE_HEADER_BYTES);
    } catch (IOException | RuntimeException unreadable) {
      file.close();
      throw unreadable;
    }
  }

  private Recovered read(List<OpenSegment> segments, long base, long forced, Teller<K, V> teller)
      throws IOException {
    OpenSegment first = segments.get(0);
    if (base == 0 || first.header.firstPosition() > base) {
      expectStart(first, base); // else the base ends somewhere in it
    }
    long end = base;
    for (int next = 1; next < segments.size(); next++) {
      end = readWhole(segments.get(next - 1), end, segments.get(next).header.previousEnd(), teller);
      expectStart(segments.get(next), end);
    }
    OpenSegment newest = segments.get(segments.size() - 1);
    Recovered recovered = readNewest(newest, base, forced, teller);
    if (recovered.end() < forced) {
      throw newest.corrupt(
          recovered.end(),
          "a frame, since the base says that all was forced up to position " + forced,
          "none");
    }
    return recovered;
  }

  private static void expectStart(OpenSegment segment, long previousEnd) {
    long found = segment.header.previousEnd();
    if (found != previousEnd || segment.header.firstPosition() < found) {
      throw segment.corrupt(
          segment.header.firstPosition(),
          "to follow position " + previousEnd,
          "a segment that follows " + found);
    }
  }

  private long readWhole(OpenSegment segment, long from, long end, Teller<K, V> teller)
      throws IOException {
    FrameReader reader = segment.reader();
    reader.seek(Math.max(from, segment.header.firstPosition()));
    while (reader.position() < end) {
      long position = reader.position();
      if (!reader.next()) {
        throw segment.corrupt(position, "a frame, since a newer segment follows", "none");
      }
      teller.tell(reader, position, segment.path, segment.offset(position));
    }
    if (reader.position() != end) {
      throw segment.corrupt(end, "the end of the last frame", "the middle of one");
    }
    return end;
  }

  private Recovered readNewest(OpenSegment newest, long base, long forced, Teller<K, V> teller)
      throws IOException {
    FrameReader reader = newest.reader();
    reader.seek(Math.max(base, newest.header.firstPosition()));
    long durable = Math.max(forced, newest.header.firstPosition());
    long close = -1;
    while (true) {
      long position = reader.position();
      if (!reader.next()) {
        break;
      }
      teller.tell(reader, position, newest.path, newest.offset(position));
      durable = Math.max(durable, reader.durable());
      close = reader.kind() == Format.CLOSE ? position : -1;
    }
    long segmentEnd = reader.position();
    refuseIfForced(newest, reader, segmentEnd);
    RingFrames ring = readRing(newest, segmentEnd, teller);
    long end = segmentEnd + ring.frames.remaining();
    reader.seek(Math.min(end, reader.limit()));
    long tornBytes = reader.contentEnd() - reader.position();
    boolean clean = close >= 0 && ring.frames.remaining() == 0 && tornBytes == 0;
    return new Recovered(
        clean ? close : end,
        clean,
        Math.min(Math.max(durable, ring.durable), clean ? close : end),
        new Recovered.NewestSegment(newest.path, newest.header),
        ring.frames,
        base,
        tornBytes);
  }

  /**
   * Looks from the reader's position on for a whole frame which says that the end was once further
   * on.
   */
  private static void refuseIfForced(OpenSegment newest, FrameReader reader, long end)
      throws IOException {
    while (reader.seekFrame()) {
      if (reader.durable() > end) {
        throw newest.corrupt(
            end,
            "a frame, since a later one says that all was forced up to position "
                + reader.durable(),
            "none");
      }
      reader.next();
    }
  }

  private record RingFrames(ByteBuffer frames, long durable) {}

  private RingFrames readRing(OpenSegment newest, long end, Teller<K, V> teller)
      throws IOException {
    RingImage ring = directory.hasRing() ? RingImage.read(directory) : null;
    // A ring of another salt was emptied into the newest segment by a start that died after that.
    if (ring == null || ring.header().salt() != newest.header.salt()) {
      return new RingFrames(ByteBuffer.allocate(0), 0);
    }
    refuseIfAcknowledged(newest, ring, end);
    refuseIfForced(newest, ring.reader(end), end);
    refuseIfForced(newest, ring.reader(ring.written()), end);
    return follow(ring, end, teller);
  }

  // As long as the operating system runs, all that was written can be read.
  private void refuseIfAcknowledged(OpenSegment newest, RingImage ring, long end) {
    long boot = directory.disk().boot();
    boolean survivesTheProcess = boot != 0 && ring.isOfBoot(boot);
    long acknowledged =
        survivesTheProcess && ring.header().appendedIsAcknowledged()
            ? Math.max(ring.forced(), ring.written())
            : ring.forced();
    if (end < acknowledged) {
      throw newest.corrupt(
          end, "a frame, since the ring says that there were some up to " + acknowledged, "none");
    }
  }

  private RingFrames follow(RingImage ring, long end, Teller<K, V> teller) throws IOException {
    boolean holesAllowed = ring.isOfBoot(directory.disk().boot()) && ring.written() <= end;
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    FrameReader reader = ring.reader(end);
    long durable = 0;
    while (true) {
      long position = reader.position();
      if (reader.next()) {
        teller.tell(reader, position, directory.ring(), ring.offset(position));
        durable = Math.max(durable, reader.durable());
        frames.writeBytes(reader.frameBytes());
      } else if (!holesAllowed || !stepOver(ring, reader, frames)) {
        return new RingFrames(ByteBuffer.wrap(frames.toByteArray()), durable);
      }
    }
  }

  /** Fills room that was claimed by a writer who died before it committed. */
  private boolean stepOver(RingImage ring, FrameReader reader, ByteArrayOutputStream frames)
      throws IOException {
    long hole = reader.position();
    if (!reader.isZero()) {
      if (hole >= ring.end()) {
        return false;
      }
      throw new LogException.Corrupt(
          directory.ring(), ring.offset(hole), "a frame that was committed", "a damaged one");
    }
    if (!reader.seekFrame()) {
      return false;
    }
    if (reader.position() - hole < Format.FRAME_HEADER_BYTES) {
      throw new LogException.Corrupt(
          directory.ring(), ring.offset(hole), "room for a frame", "too little");
    }
    long salt = ring.header().salt();
    for (long at = hole; at < reader.position(); ) {
      int bytes = (int) Math.min(reader.position() - at, Format.FRAME_BYTES_MAX / 2);
      frames.writeBytes(Format.bareFrame(Format.PADDING, bytes, at, hole(ring, hole), salt));
      at += bytes;
    }
    return true;
  }

  // Says of nothing more that it was forced than what is known: nothing behind the ring's start.
  private static long hole(RingImage ring, long hole) {
    return Math.min(ring.header().firstPosition(), hole);
  }
}
