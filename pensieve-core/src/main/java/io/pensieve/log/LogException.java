package io.pensieve.log;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A log could not do what was asked. The subclasses differ in what the caller can do. The message
 * names the file and, if there is one, the offset, what was expected and what was found.
 */
public abstract sealed class LogException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private LogException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /**
   * Data that was durable is damaged, or is not a log of this version. Nothing was changed. {@link
   * io.pensieve.log.file.OfflineLog#salvage} copies the readable part.
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

    /** As above, with the exception of the code that decoded these bytes: a codec, for example. */
    public Corrupt(
        Path file, long offset, String expected, String found, @Nullable Throwable cause) {
      super(
          file + ": damaged at offset " + offset + ": expected " + expected + ", found " + found,
          cause);
    }
  }

  /**
   * The log was written with codecs of other names, and these codecs would misread it. Nothing was
   * changed. Open it with the original codecs. If a given codec reads the same bytes, give it the
   * stored name: see {@link Codec#name}.
   */
  public static final class WrongCodec extends LogException {
    private static final long serialVersionUID = 1L;

    /**
     * A codec whose name differs from the one in the file.
     *
     * @param file the file that was written with another one
     * @param what keys or values
     * @param written the name of the codec that wrote them
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
   * Reading or writing failed. This is final for this log: the last writes may or may not be on the
   * disk. So the map refuses further writes and still serves reads. Opening the log again recovers
   * it.
   */
  public static final class Failed extends LogException {
    private static final long serialVersionUID = 1L;

    /** A failure, with its cause. */
    public Failed(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Another map, in this process or another one, has the log open. */
  public static final class Locked extends LogException {
    private static final long serialVersionUID = 1L;

    /** A log that is in use; the message names the user if known. */
    public Locked(String message) {
      super(message, null);
    }
  }

  /**
   * The disk has no space for another write. Reads and removals still work. So do writes once there
   * is space again.
   */
  public static final class Full extends LogException {
    private static final long serialVersionUID = 1L;

    /** A full log; the message has the free and the required space. */
    public Full(String message) {
      super(message, null);
    }
  }

  /**
   * The log takes no changes from this map at this time, because they are made elsewhere: see
   * {@link ReplicatedLog}. Nothing was changed. Reads work.
   */
  public static final class ReadOnly extends LogException {
    private static final long serialVersionUID = 1L;

    /** A refused change; the message says where changes are made, if that is known. */
    public ReadOnly(String message) {
      super(message, null);
    }
  }

  /**
   * The log has taken the change, and then lost the leadership of its cluster before the change was
   * acknowledged. Whether it survives is not known here: the next leader may or may not have it.
   */
  public static final class OutcomeUnknown extends LogException {
    private static final long serialVersionUID = 1L;

    /** A change whose outcome is unknown; the message says why. */
    public OutcomeUnknown(String message) {
      this(message, null);
    }

    /** As above, with the exception that another thread got. */
    public OutcomeUnknown(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Too many changes wait for their acknowledgement. Nothing was changed. The write may be tried
   * again soon.
   */
  public static final class Overloaded extends LogException {
    private static final long serialVersionUID = 1L;

    /** A refused change; the message has the limit. */
    public Overloaded(String message) {
      super(message, null);
    }
  }

  /**
   * The requested changes are not available. The log was compacted, or a power cut lost changes
   * that a stream had delivered. Or they come from another log that was here before. Read the
   * entries instead, and then the changes from there on.
   */
  public static final class HistoryTruncated extends LogException {
    private static final long serialVersionUID = 1L;

    /**
     * Changes that are no longer available.
     *
     * @param since the requested position
     * @param oldest the oldest available position
     */
    public HistoryTruncated(long since, long oldest) {
      super(
          "the changes since " + since + " are forgotten; those since " + oldest + " are there",
          null);
    }
  }
}
