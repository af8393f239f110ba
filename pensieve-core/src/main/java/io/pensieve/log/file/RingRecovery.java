package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Replays the frames that only the ring holds, and decides whether any are missing there. */
final class RingRecovery {
  // Every frame in the ring names its position under a checksum, so a frame found is certain. What
  // a gap before it means depends on the durability level and on whether the operating system
  // restarted:
  //
  // - Acknowledged by force: no frame in the ring was acknowledged, so the history may end at any
  //   gap.
  // - Acknowledged by commit, same boot: every stored byte is there. A first word of 0 is space of
  //   a writer that died before its commit, and the frames behind it count. A damaged frame was
  //   committed, so the log is refused.
  // - Acknowledged by commit, another boot: pages may be lost, and the level promised only to
  //   survive the death of the process. The history ends at the gap.
  // - Acknowledged by commit, boot unknown: either frames behind the gap are acknowledged, or a
  //   power cut took those before them. The log is refused.

  private final LogDirectory directory;
  private final FrameFile newest;
  private final long start;
  private long durable;

  /**
   * Creates the recovery of the ring that continues the newest segment.
   *
   * @param start where the frames of the newest segment end
   */
  RingRecovery(LogDirectory directory, FrameFile newest, long start) {
    this.directory = directory;
    this.newest = newest;
    this.start = start;
  }

  /** The position up to which the log was forced, by the ring's frames; 0 if they do not say. */
  long durable() {
    return durable;
  }

  /**
   * Replays the frames that only the ring holds.
   *
   * @param isClosed whether the newest segment ends with a close marker: then the ring was empty
   * @param isUsed whether the newest segment holds any bytes of frames
   */
  UnforcedFrames replay(boolean isClosed, boolean isUsed, ReplayPipeline<?, ?> pipeline)
      throws IOException {
    if (!directory.hasRing()) {
      checkClosed(isClosed, "no such file");
      return UnforcedFrames.none(start);
    }
    try (RingImage ring = RingImage.open(directory)) {
      if (ring.header().salt() != newest.header().salt()) {
        // An opening that died had copied its frames to the segments, or was just creating the
        // ring.
        checkClosed(isClosed || !isUsed, "the ring of another segment");
        return UnforcedFrames.none(start);
      }
      checkNotAcknowledged(ring);
      newest.checkNotForced(ring.reader(start), start);
      newest.checkNotForced(ring.reader(ring.written()), start);
      return follow(ring, pipeline);
    }
  }

  // A ring is created before its segment is used, and stays while that segment is the newest.
  private void checkClosed(boolean mayBeWithout, String found) {
    if (!mayBeWithout) {
      throw new LogException.Corrupt(
          directory.ring(),
          0,
          "the ring of a log that was not closed: what was acknowledged last may be there only",
          found);
    }
  }

  private enum Since {
    THE_SAME_START,
    ANOTHER_START,
    UNKNOWN
  }

  private Since since(RingImage ring) {
    long boot = directory.disk().boot();
    if (boot == 0 || ring.header().boot() == 0) {
      return Since.UNKNOWN;
    }
    return boot == ring.header().boot() ? Since.THE_SAME_START : Since.ANOTHER_START;
  }

  // While the operating system runs, every written byte can be read.
  private void checkNotAcknowledged(RingImage ring) {
    boolean survivesTheProcess =
        since(ring) == Since.THE_SAME_START && ring.header().appendedIsAcknowledged();
    long acknowledged =
        survivesTheProcess ? Math.max(ring.forced(), ring.written()) : ring.forced();
    if (start < acknowledged) {
      throw newest.corrupt(
          start, "a frame, since the ring says that there were some up to " + acknowledged, "none");
    }
  }

  private UnforcedFrames follow(RingImage ring, ReplayPipeline<?, ?> pipeline) throws IOException {
    List<UnforcedFrames.Hole> holes = new ArrayList<>();
    FrameReader reader = ring.reader(start);
    while (true) {
      long position = reader.position();
      if (reader.next()) {
        pipeline.replayLongFrame(reader, position, directory.ring(), ring.offset(position));
        durable = Math.max(durable, reader.durable());
      } else if (stepOver(ring, reader)) {
        holes.add(new UnforcedFrames.Hole(position, reader.position()));
      } else {
        return new UnforcedFrames(start, position, List.copyOf(holes));
      }
    }
  }

  private boolean stepOver(RingImage ring, FrameReader reader) throws IOException {
    if (!ring.header().appendedIsAcknowledged() || ring.written() > start) {
      return false;
    }
    return switch (since(ring)) {
      case THE_SAME_START -> stepOverHole(ring, reader);
      case ANOTHER_START -> false;
      case UNKNOWN -> {
        long gap = reader.position();
        if (reader.seekFrame()) {
          throw new LogException.Corrupt(
              directory.ring(),
              ring.offset(gap),
              "a frame, since others follow; whether the process or the power ended is not known,"
                  + " so these may be acknowledged, or behind what was lost",
              "none");
        }
        yield false;
      }
    };
  }

  /** Moves over space claimed by a writer that died before its commit. */
  private boolean stepOverHole(RingImage ring, FrameReader reader) throws IOException {
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
    return true;
  }
}
