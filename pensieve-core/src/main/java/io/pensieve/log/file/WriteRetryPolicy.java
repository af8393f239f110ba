package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides what a refused write means, a retry or the log's end, and whether puts are accepted.
 *
 * <p>The log writer asks it, and does what it says. Other threads only ask whether a put is
 * accepted.
 */
final class WriteRetryPolicy {
  // Covers only what may be repeated. One case is a write, whose frames are still in the ring. The
  // other is the part of a roll before the new file has its name. A force is never repeated, so
  // this class does not decide about it.
  //
  // A full disk shows by the refusal's message and by the free space. Neither is certain: messages
  // depend on the system's language, and space may return between write and check. So any refused
  // write is retried a few times before it is final.

  static final long RETRY_NANOS = 20_000_000;
  private static final long RETRY_NANOS_MAX = 100_000_000;

  /** The number of tries without a sign of a passing shortage, or while the log is being closed. */
  private static final int ATTEMPTS = 5;

  /** The time of retries while memory is exhausted: 5 seconds. */
  private static final long MEMORY_NANOS_MAX = 5_000_000_000L;

  /** Messages of a lack of space, quota or descriptors; in lower case. */
  private static final List<String> SHORTAGES =
      List.of(
          "no space left",
          "not enough space",
          "disk full",
          "quota exceeded",
          "too many open files");

  /** What a refused write means. */
  enum Meaning {
    /** The log has failed. */
    FINAL,
    /** Try again; the log should free what space it can. */
    SHORTAGE,
    /** Try again. */
    RETRY
  }

  private final FreeSpace space;
  private int attempts;
  private long firstNanos;
  private long retryNanos = RETRY_NANOS;
  private long notBeforeNanos;
  private boolean isShortage; // of space or memory: temporary
  private volatile @Nullable Throwable last; // null while writes succeed

  // Only the log writer stores it. A shortage ends puts at once. They are accepted again only when
  // everything pending is written, and the volume has more free than the reserve.
  private volatile boolean acceptsPuts = true;

  WriteRetryPolicy(FreeSpace space) {
    this.space = space;
  }

  /** The last refusal, if nothing was written since. For any thread. */
  @Nullable Throwable last() {
    return last;
  }

  /** Whether puts are accepted. For any thread. */
  boolean acceptsPuts() {
    return acceptsPuts;
  }

  /** Applies the free space seen so far. Before the first write. */
  void begin() {
    acceptsPuts = !space.isShort();
  }

  /** Asks the volume for its free space. Answers whether that is below the reserve. */
  boolean refreshSpace() throws IOException {
    space.refresh();
    acceptsPuts = !space.isShort() && !isShortage();
    return space.isShort();
  }

  /** Whether so many bytes may be taken for later: the reserve stays free. */
  boolean allowsPreallocation(long bytes) {
    return space.freeBytes() - bytes >= space.reserveBytes();
  }

  private boolean isShortage() {
    return last != null && isShortage;
  }

  /** Whether the pause before the next try still lasts. */
  boolean isPause(long now) {
    return last != null && now - notBeforeNanos < 0;
  }

  /** Records that all pending frames are written. */
  void succeeded() {
    if (last != null) {
      last = null;
      attempts = 0;
      retryNanos = RETRY_NANOS;
      acceptsPuts = !space.isShort();
    }
  }

  /** Records a refusal, and answers what it means. */
  Meaning refused(Throwable refused, long now, boolean isClosing) {
    try {
      boolean isFinal = isFinal(refused, now, isClosing);
      if (isShortage()) {
        acceptsPuts = false;
      }
      return isFinal ? Meaning.FINAL : isShortage() ? Meaning.SHORTAGE : Meaning.RETRY;
    } catch (IOException noFolder) {
      return Meaning.FINAL;
    } catch (RuntimeException | Error noMemory) {
      return Meaning.RETRY; // the next refusal asks again
    }
  }

  private boolean isFinal(Throwable refused, long now, boolean isClosing) throws IOException {
    if (last == null) {
      firstNanos = now;
    }
    last = refused;
    attempts++;
    notBeforeNanos = now + retryNanos;
    retryNanos = isClosing ? RETRY_NANOS : Math.min(2 * retryNanos, RETRY_NANOS_MAX);
    isShortage = refused instanceof OutOfMemoryError || refused instanceof StackOverflowError;
    if (isShortage) {
      return now - firstNanos > MEMORY_NANOS_MAX;
    } else if (!(refused instanceof IOException) || refused instanceof HoleFiller.HoleException) {
      return true;
    }
    space.refresh();
    isShortage = saysShortage(refused) || space.isShort();
    return (isClosing || !isShortage) && attempts >= ATTEMPTS;
  }

  // Whether the system's message names a lack of space, quota or descriptors.
  private static boolean saysShortage(Throwable refused) {
    String reason =
        refused instanceof FileSystemException named ? named.getReason() : refused.getMessage();
    String words = String.valueOf(reason).toLowerCase(Locale.ROOT);
    return SHORTAGES.stream().anyMatch(words::contains);
  }

  /** Describes why a put is refused now; null if it is accepted. */
  @Nullable String describe() {
    Throwable refused = last;
    if (space.isShort()) {
      return space.shortage();
    }
    return refused == null ? null : space.refusal(refused);
  }
}
