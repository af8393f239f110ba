package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/** A position in the segments of a log in use. For one thread at a time. */
final class SegmentCursor implements Closeable {
  // The compactor deletes segments oldest first, and an open file stays readable. So the next
  // segment in the folder is this one's successor while this one is still there. If no frame is
  // found, the folder shows why. The segment is gone: the log was compacted beyond this position.
  // The segment is there: it is damaged.

  private static final long UNKNOWN = Long.MAX_VALUE;
  private static final int WINDOW_BYTES = 64 << 10;

  private final LogDirectory directory;
  private final HighWatermark watermark;
  private FrameFile file;
  private long end = UNKNOWN; // where the file's frames end; known once it has a successor
  private long successor;
  private long at; // where the next frame begins

  private SegmentCursor(LogDirectory directory, HighWatermark watermark, FrameFile file, long at) {
    this.directory = directory;
    this.watermark = watermark;
    this.file = file;
    this.at = at;
  }

  /**
   * Opens a cursor at the frame that holds the first change behind a position.
   *
   * @param reached the high watermark; at least {@code since}
   * @throws LogException.HistoryTruncated if the history behind the position is incomplete
   */
  static SegmentCursor open(
      LogDirectory directory, HighWatermark watermark, long since, long reached)
      throws IOException {
    List<Long> segments = segments(directory);
    int next = 0;
    while (next < segments.size() && segments.get(next) <= since) {
      next++;
    }
    boolean isBefore = next == 0; // the position lies before all segments
    long first = segments.get(isBefore ? 0 : next - 1);
    FrameFile file = open(directory, first, since);
    SegmentCursor cursor = new SegmentCursor(directory, watermark, file, first);
    try {
      cursor.seek(isBefore, since, reached);
      return cursor;
    } catch (IOException | RuntimeException refused) {
      cursor.close();
      throw refused;
    }
  }

  private static List<Long> segments(LogDirectory directory) throws IOException {
    List<Long> segments = directory.segments();
    if (segments.isEmpty()) {
      throw new IOException("no segment is left in " + directory.folder());
    }
    return segments;
  }

  private static FrameFile open(LogDirectory directory, long first, long since) throws IOException {
    try {
      return FrameFile.segment(directory, first);
    } catch (IOException broken) {
      List<Long> segments = segments(directory);
      if (segments.contains(first)) {
        throw broken;
      }
      throw new LogException.HistoryTruncated(since, segments.get(0));
    }
  }

  private void seek(boolean isBefore, long since, long reached) throws IOException {
    if (isBefore) {
      if (file.header().previousEnd() != since) {
        throw new LogException.HistoryTruncated(since, at);
      }
      return;
    }
    long limit = limit(reached);
    if (since > limit) {
      // An unclean end skipped these positions. So a stream delivered a change that a power cut
      // took, or a change of another log of which this one is a copy.
      throw new LogException.HistoryTruncated(since, successor);
    }
    if (since == limit || isFrameAt(since, limit)) {
      at = since;
    } else {
      seekFromStart(since, limit);
    }
  }

  private boolean isFrameAt(long position, long limit) throws IOException {
    return position % Format.FRAME_ALIGNMENT == 0 && reader(position, limit).next();
  }

  private void seekFromStart(long since, long limit) throws IOException {
    FrameReader reader = reader(at, limit);
    while (reader.next() && reader.position() <= since) {
      at = reader.position();
    }
    if (reader.position() <= since) {
      throw missing(reader.position());
    }
  }

  /** Where the next frame begins. */
  long position() {
    return at;
  }

  /** The position up to which this file can be read, given the high watermark. */
  private long limit(long reached) throws IOException {
    // The log writer names a segment shortly before it announces it. So ask the watermark, not the
    // folder.
    if (end == UNKNOWN && watermark.newestSegment() > file.firstPosition()) {
      successor =
          segments(directory).stream()
              .filter(first -> first > file.firstPosition())
              .findFirst()
              .orElseThrow(() -> new IOException("no segment follows " + file.path()));
      try (FrameFile following = open(directory, successor, at)) {
        end = following.header().previousEnd();
      }
    }
    return Math.min(end, reached);
  }

  private FrameReader reader(long from, long limit) throws IOException {
    long there = file.file().size() - FileHeader.BYTES + file.firstPosition();
    return file.reader(from, Math.max(from, Math.min(limit, there)), WINDOW_BYTES);
  }

  /**
   * Delivers some frames from here on, if there are any.
   *
   * @param reached the high watermark; beyond this position
   */
  void replay(ChangeDecoder<?, ?> decoder, long reached) throws IOException {
    long limit = limit(reached);
    while (at >= end) { // beyond `end` in a segment due to be replaced: see EndOfRecovery
      toSuccessor();
      limit = limit(reached);
    }
    long until = Math.min(limit, at + WINDOW_BYTES);
    FrameReader reader = reader(at, limit);
    while (at < until) {
      if (!reader.next()) {
        throw missing(at);
      }
      decoder.deliver(reader, 0, file.path(), file.offset(at));
      at = reader.position();
    }
  }

  private void toSuccessor() throws IOException {
    FrameFile next = open(directory, successor, at);
    file.close();
    file = next;
    end = UNKNOWN;
    at = next.firstPosition();
  }

  private LogException missing(long position) throws IOException {
    List<Long> segments = segments(directory);
    return segments.contains(file.firstPosition())
        ? file.corrupt(position, "a frame, since all of it was written", "none")
        : new LogException.HistoryTruncated(position, segments.get(0));
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
