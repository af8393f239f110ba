package io.pensieve.log;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A log could not do what was asked. Split by what the caller can do about it; the message names
 * the file and, where there is one, the offset, what was expected and what was found.
 */
public abstract sealed class LogException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private LogException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /**
   * Data that was safe is damaged, or is not a log of this version. Nothing was changed. {@link
   * io.pensieve.log.file.OfflineLog#salvage} copies what can be read of it.
   */
  public static final class Corrupt extends LogException {
    private static final long serialVersionUID = 1L;

    /**
     * Damage in a file.
     *
     * @param file the damaged file
     * @param offset the byte at which the damaged part begins
     * @param expected what should be there
     * @param found what is there
     */
    public Corrupt(Path file, long offset, String expected, String found) {
      this(file, offset, expected, found, null);
    }

    /** The same, with what somebody threw who was to understand these bytes: a codec, perhaps. */
    public Corrupt(
        Path file, long offset, String expected, String found, @Nullable Throwable cause) {
      super(
          file + ": damaged at offset " + offset + ": expected " + expected + ", found " + found,
          cause);
    }
  }

  /**
   * The log was written with codecs of other names, and what is in it would be taken for something
   * else. Nothing was changed. Open it with those, or, if this one reads the same bytes, give it
   * that name: see {@link Codec#name}.
   */
  public static final class WrongCodec extends LogException {
    private static final long serialVersionUID = 1L;

    /**
     * A codec whose name is not the file's.
     *
     * @param file the file that was written with another one
     * @param what keys or values
     * @param written the name of the codec that they were written with
     * @param given the name of the codec that was given
     */
    public WrongCodec(Path file, String what, String written, String given) {
      super(
          file
              + ": its "
              + what
              + " were written with the codec \""
              + written
              + "\", and this log was opened with \""
              + given
              + "\"",
          null);
    }
  }

  /**
   * Reading or writing failed. Final for this log: what was written last may or may not be on the
   * disk, so the map refuses further writes and goes on serving reads. Opening it again recovers.
   */
  public static final class Failed extends LogException {
    private static final long serialVersionUID = 1L;

    /** A failure, with the exception behind it. */
    public Failed(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Another map, in this process or another one, has the log open. */
  public static final class Locked extends LogException {
    private static final long serialVersionUID = 1L;

    /** A log that is in use, with who uses it where that is known. */
    public Locked(String message) {
      super(message, null);
    }
  }

  /** No room for another write. Reads and removals go on, and so do writes when there is room. */
  public static final class Full extends LogException {
    private static final long serialVersionUID = 1L;

    /** A full log, with how much room there is and how much is needed. */
    public Full(String message) {
      super(message, null);
    }
  }

  /**
   * The changes asked for are not there: the log was compacted, or what was told of it was lost in
   * a power cut, or another log has told it, which was here before. Read the entries instead, and
   * then the changes from there on.
   */
  public static final class HistoryTruncated extends LogException {
    private static final long serialVersionUID = 1L;

    /**
     * Changes that are no longer there.
     *
     * @param since from where on they were asked for
     * @param oldest from where on they could be told
     */
    public HistoryTruncated(long since, long oldest) {
      super(
          "the changes since " + since + " are forgotten; those since " + oldest + " are there",
          null);
    }
  }
}
