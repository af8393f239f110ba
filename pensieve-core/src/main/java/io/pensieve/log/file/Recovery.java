package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a log's history, and distinguishes a torn tail from damage. Changes nothing on the disk.
 */
final class Recovery<K, V> {
  // The steps, as DESIGN.md names them:
  // 1. Base: replay the newest base. It says up to where the log was forced then. If the log ends
  //    before that, the log is damaged.
  // 2. Scan: open each segment for its header. Ignore those wholly before the base.
  // 3. Older segments: replay each one. It was forced before its successor got its name, so all of
  //    it must be there.
  // 4. Newest segment: find its end, then replay up to there. It may end anywhere after the last
  //    force. A bad frame in it is a torn tail. It is damage if a whole frame, here or in the ring,
  //    knows that the bad one was forced.
  // 5. Ring: replay the frames that continue where the newest segment ends.
  // 6. Second pass: repeat steps 1 to 5, only if the handler needs it.

  private final LogDirectory directory;
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final ReplayHandler<K, V> handler;
  private final ReplayPipeline.Settings settings;
  private boolean needsSecondPass; // requested by the handler: see ReplayHandler.Unordered

  Recovery(
      LogDirectory directory,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      ReplayHandler<K, V> handler,
      ReplayPipeline.Settings settings) {
    this.directory = directory;
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.handler = handler;
    this.settings = settings;
  }

  /**
   * What recovery found.
   *
   * @param recovered the state to continue from
   * @param changes how many changes were replayed
   * @param bytes how many bytes were replayed
   * @param baseBytes how many of these bytes were in a base
   * @param segments how many segments were read
   */
  record Result(RecoveredState recovered, long changes, long bytes, long baseBytes, int segments) {}

  /** Runs all steps. For a thread that is never interrupted. */
  Result run() throws IOException {
    directory.checkFinished();
    Result result = read();
    while (needsSecondPass) {
      read();
    }
    return result;
  }

  private Result read() throws IOException {
    try (BaseReader base = BaseReader.open(directory)) {
      return replay(base, scanSegments(base.position()));
    }
  }

  private Result replay(BaseReader base, List<FrameFile> segments) throws IOException {
    long total = segments.stream().mapToLong(FrameFile::contentBytes).sum() + base.bytes();
    try (ReplayPipeline<K, V> pipeline =
        new ReplayPipeline<>(settings, keyCodec, valueCodec, handler, total)) {
      try {
        return read(base, segments, pipeline);
      } catch (IOException | RuntimeException | Error failure) {
        pipeline.finish(); // a fault in earlier chunks comes first
        throw failure;
      }
    }
  }

  private Result read(BaseReader base, List<FrameFile> segments, ReplayPipeline<K, V> pipeline)
      throws IOException {
    long forced = base.replay(pipeline);
    long baseBytes = pipeline.bytes();
    RecoveredState recovered =
        segments.isEmpty() ? emptyLog(base) : read(segments, base.position(), forced, pipeline);
    pipeline.finish();
    handler.progress(pipeline.bytes(), pipeline.bytes());
    needsSecondPass = pipeline.needsSecondPass();
    return new Result(recovered, pipeline.changes(), pipeline.bytes(), baseBytes, segments.size());
  }

  private RecoveredState emptyLog(BaseReader base) throws IOException {
    if (base.isPresent() || (directory.hasRing() && !RingImage.isNew(directory))) {
      throw new LogException.Corrupt(
          directory.folder(), 0, "a segment, since there is a base or a ring", "none");
    }
    return RecoveredState.emptyLog();
  }

  // There may be more segments than files that may be open. So each is opened for its header here,
  // and again for its replay.
  private List<FrameFile> scanSegments(long base) throws IOException {
    List<FrameFile> segments = new ArrayList<>();
    List<Long> all = directory.segments();
    int first = 0;
    while (first + 1 < all.size() && all.get(first + 1) <= base) {
      first++;
    }
    for (long firstPosition : all.subList(first, all.size())) {
      try (FrameFile segment = FrameFile.segment(directory, firstPosition)) {
        segments.add(segment);
      }
    }
    return segments;
  }

  private RecoveredState read(
      List<FrameFile> segments, long base, long forced, ReplayPipeline<K, V> pipeline)
      throws IOException {
    FrameFile first = segments.get(0);
    if (base == 0 || first.firstPosition() > base) {
      checkStart(first, base); // else the base ends within it
    }
    long end = base;
    for (int next = 1; next < segments.size(); next++) {
      long previousEnd = segments.get(next).header().previousEnd();
      try (FrameFile segment = open(segments.get(next - 1))) {
        end = replayOlderSegment(segment, end, previousEnd, pipeline);
      }
      checkStart(segments.get(next), end);
    }
    try (FrameFile newest = open(segments.get(segments.size() - 1))) {
      RecoveredState recovered = replayNewestSegment(newest, base, forced, pipeline);
      if (recovered.end() < forced) {
        throw newest.corrupt(
            recovered.end(),
            "a frame, since the base says that all was forced up to position " + forced,
            "none");
      }
      return recovered;
    }
  }

  private FrameFile open(FrameFile seen) throws IOException {
    return FrameFile.segment(directory, seen.firstPosition());
  }

  private static void checkStart(FrameFile segment, long previousEnd) {
    long found = segment.header().previousEnd();
    if (found != previousEnd || segment.firstPosition() < found) {
      throw segment.corrupt(
          segment.firstPosition(),
          "to follow position " + previousEnd,
          "a segment that follows " + found);
    }
  }

  private static long replayOlderSegment(
      FrameFile segment, long from, long end, ReplayPipeline<?, ?> pipeline) throws IOException {
    if (end == from && end < segment.firstPosition()) {
      return end; // its successor replaced it: see EndOfRecovery
    }
    long at = Math.max(from, segment.firstPosition());
    while (at < end) {
      FrameChunk chunk = pipeline.takeFree();
      if (!chunk.read(segment, at, end)) {
        throw segment.frameMissing(at);
      }
      at = chunk.end();
      pipeline.submit(chunk);
    }
    if (at != end) {
      throw segment.corrupt(end, "the end of the last frame", "the middle of one");
    }
    return end;
  }

  private RecoveredState replayNewestSegment(
      FrameFile newest, long base, long forced, ReplayPipeline<K, V> pipeline) throws IOException {
    // First find the end: nothing behind a bad frame may be replayed.
    FrameReader reader = newest.reader();
    reader.seek(Math.max(base, newest.firstPosition()));
    long durable = Math.max(forced, newest.firstPosition());
    long close = -1;
    while (true) {
      long position = reader.position();
      if (!reader.next()) {
        break;
      }
      durable = Math.max(durable, reader.durable());
      close = reader.kind() == Format.CLOSE ? position : -1;
    }
    long segmentEnd = replayOlderSegment(newest, base, reader.position(), pipeline);
    newest.checkNotForced(reader, segmentEnd);
    reader.seek(segmentEnd);
    long contentEnd = reader.contentEnd();
    boolean isClosed = close >= 0 && contentEnd == segmentEnd;
    RingRecovery ring = new RingRecovery(directory, newest, segmentEnd);
    UnforcedFrames tail = ring.replay(isClosed, contentEnd > newest.firstPosition(), pipeline);
    boolean clean = isClosed && tail.isEmpty();
    long end = clean ? close : tail.end();
    return new RecoveredState(
        end,
        clean,
        Math.min(Math.max(durable, ring.durable()), end),
        new RecoveredState.NewestSegment(newest.path(), newest.header()),
        tail,
        base,
        Math.max(0, contentEnd - tail.end()));
  }
}
