package io.pensieve.log.file;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the newest base, if there is one. All of it must be there: the log forced it before it got
 * its name.
 */
final class BaseReader implements Closeable {
  private final long position;
  private final @Nullable FrameFile contents;

  private BaseReader(long position, @Nullable FrameFile contents) {
    this.position = position;
    this.contents = contents;
  }

  static BaseReader open(LogDirectory directory) throws IOException {
    List<Long> bases = directory.bases();
    if (bases.isEmpty()) {
      return new BaseReader(0, null);
    }
    long position = bases.get(bases.size() - 1);
    return new BaseReader(position, FrameFile.base(directory, position));
  }

  /** The position from which the history is in segments; 0 if there is no base. */
  long position() {
    return position;
  }

  boolean isPresent() {
    return contents != null;
  }

  /** The number of bytes of frames to replay. */
  long bytes() {
    return contents == null ? 0 : contents.contentBytes();
  }

  /**
   * Replays all entries. Answers the position up to which the log was forced when the base got its
   * name.
   */
  long replay(ReplayPipeline<?, ?> pipeline) throws IOException {
    FrameFile base = contents;
    if (base == null) {
      return 0;
    }
    long at = 0;
    while (true) {
      FrameChunk chunk = pipeline.takeFree();
      if (!chunk.read(base, at, base.limit())) {
        return readFooter(base, at, pipeline.numbered());
      }
      at = chunk.end();
      pipeline.submit(chunk);
    }
  }

  private long readFooter(FrameFile base, long at, long entries) throws IOException {
    FrameReader reader = base.reader();
    reader.seek(at);
    if (!reader.next()) {
      throw base.frameMissing(at);
    }
    ChangeDecoder.checkUnderstood(reader, 1 << Format.FOOTER, base.path(), base.offset(at));
    if (reader.count() != entries) {
      throw base.corrupt(at, "a footer that counts " + entries + " entries", "" + reader.count());
    }
    if (reader.position() != base.contentBytes() || reader.durable() < position) {
      throw base.corrupt(at, "a footer at the end", "one for " + reader.durable());
    }
    return reader.durable();
  }

  @Override
  public void close() throws IOException {
    if (contents != null) {
      contents.close();
    }
  }
}
