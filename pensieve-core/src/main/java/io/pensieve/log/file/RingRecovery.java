package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What the ring adds to a history, and whether anything is missing there. */
final class RingRecovery {
  // Every frame in the ring names its position under a checksum, so what is there is certain. What
  // a gap before it means depends on what was promised, and on what has ended:
  //
  // Acknowledged when forced: a frame in the ring was not, so the history may end at any gap.
  // Acknowledged when committed, and the operating system still runs that ran then: all that was
  // stored is there. A first word of 0 is room of a writer who died before it committed; frames
  // behind it count. A damaged frame was committed, and is refused.
  // Acknowledged when committed, and the operating system has started again: pages may be lost,
  // and the promise was the death of the process. The history ends.
  // Acknowledged when committed, and it is not known which: frames behind the gap may be
  // acknowledged, or a power cut may have taken what was before them. Refused.

  private final LogDirectory directory;
  private final FrameFile newest;
  private final long start;
  private long durable;

  /**
   * The ring behind the newest segment.
   *
   * @param start where the frames of the newest segment end
   */
  RingRecovery(LogDirectory directory, FrameFile newest, long start) {
    this.directory = directory;
    this.newest = newest;
    this.start = start;
  }

  /** Up to where the log was forced, by what the frames in the ring say; 0 if they do not. */
  long durable() {
    return durable;
  }

  /**
   * Tells what is in the ring only.
   *
   * @param isClosed whether the newest segment ends with a close marker: then the ring was empty
   * @param isUsed whether there is anything in the newest segment
   */
  RingTail replay(boolean isClosed, boolean isUsed, ReplayPipeline<?, ?> pipeline)
      throws IOException {
    if (!directory.hasRing()) {
      checkClosed(isClosed, "no such file");
      return RingTail.none(start);
    }
    try (RingImage ring = RingImage.open(directory)) {
      if (ring.header().salt() != newest.header().salt()) {
        // A start that died had emptied it into the segments, or was just making it.
        checkClosed(isClosed || !isUsed, "the ring of another segment");
        return RingTail.none(start);
      }
      checkNotAcknowledged(ring);
      Recovery.checkNotForced(newest, ring.reader(start), start);
      Recovery.checkNotForced(newest, ring.reader(ring.written()), start);
      return follow(ring, pipeline);
    }
  }

  // A ring is made before the segment that goes with it is used, and stays as long as that is the
  // newest one.
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

  // As long as the operating system runs, all that was written can be read.
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

  private RingTail follow(RingImage ring, ReplayPipeline<?, ?> pipeline) throws IOException {
    List<RingTail.Hole> holes = new ArrayList<>();
    FrameReader reader = ring.reader(start);
    while (true) {
      long position = reader.position();
      if (reader.next()) {
        pipeline.replayLongFrame(reader, position, directory.ring(), ring.offset(position));
        durable = Math.max(durable, reader.durable());
      } else if (stepOver(ring, reader)) {
        holes.add(new RingTail.Hole(position, reader.position()));
      } else {
        return new RingTail(start, position, List.copyOf(holes));
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

  /** Moves over room that was claimed by a writer who died before it committed. */
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
