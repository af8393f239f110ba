package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The one place that decides what a refused write means: tried again later, or the log's end. */
final class WriteRetryPolicy {
  // Only of what may be repeated: a write, whose frames are still in the ring, and what a roll does
  // before the new file has its name. A force is never repeated, so it is not asked about here.
  //
  // A disk that is full is told by what the refusal says and by what is free, for neither is sure:
  // the words depend on the system's language, and room may come back between write and look. So
  // whatever is refused is tried a few times before it counts as final.

  static final long RETRY_NANOS = 20_000_000;
  private static final long RETRY_NANOS_MAX = 100_000_000;

  /** So often, if there is no sign that it will pass, or if the log is being closed. */
  private static final int ATTEMPTS = 5;

  /** So long, if the memory is full: 5 seconds. */
  private static final long MEMORY_NANOS_MAX = 5_000_000_000L;

  /** Of no room, no quota, no descriptor; in small letters. */
  private static final List<String> SHORTAGES =
      List.of(
          "no space left",
          "not enough space",
          "disk full",
          "quota exceeded",
          "too many open files");

  private final FreeSpace space;
  private int attempts;
  private long firstNanos;
  private long retryNanos = RETRY_NANOS;
  private long notBeforeNanos;
  private boolean isShortage; // of room or of memory: it passes
  private volatile @Nullable Throwable last; // null while writes are taken

  WriteRetryPolicy(FreeSpace space) {
    this.space = space;
  }

  /** What was refused last, if nothing was written since. For any thread. */
  @Nullable Throwable last() {
    return last;
  }

  /** The last refusal, if there is one, was for want of something that will be there again. */
  boolean isShortage() {
    return last != null && isShortage;
  }

  /** There is a pause before the next attempt. */
  boolean isPause(long now) {
    return last != null && now - notBeforeNanos < 0;
  }

  /** All was written that there is; answers whether some of it was refused before. */
  boolean haveEnded() {
    if (last == null) {
      return false;
    }
    last = null;
    attempts = 0;
    retryNanos = RETRY_NANOS;
    return true;
  }

  /** Notes a refusal, and answers whether it is final. */
  boolean isFinal(Throwable refused, long now, boolean isClosing) throws IOException {
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

  // What the system calls by a name of its own: no room, no quota, no descriptor.
  private static boolean saysShortage(Throwable refused) {
    String reason =
        refused instanceof FileSystemException named ? named.getReason() : refused.getMessage();
    String words = String.valueOf(reason).toLowerCase(Locale.ROOT);
    return SHORTAGES.stream().anyMatch(words::contains);
  }

  /** Why a put is refused now, in words; null if it is not. */
  @Nullable String describe() {
    Throwable refused = last;
    if (space.isShort()) {
      return space.shortage();
    }
    return refused == null ? null : space.refusal(refused);
  }
}
