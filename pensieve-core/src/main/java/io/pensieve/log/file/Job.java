package io.pensieve.log.file;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Copies the entries of a map in use to the disk, piece by piece. The compactor's thread runs one
 * job at a time.
 */
interface Job {
  /** Does the piece that is due, unless it must wait. Answers whether it did. */
  boolean step(DiskGate disk) throws IOException;

  boolean hasEnded();

  /** The end of the current pause. */
  long notBeforeNanos();

  /** The position of the log beyond which writers wait, since they outrun this job. */
  long freeUntil();

  /**
   * Deletes what an unfinished job has written. May be repeated. No other thread works on the disk
   * meanwhile.
   */
  void discard() throws IOException;

  /** Completes what callers wait for; exceptionally, if there is a cause. */
  void complete(@Nullable Throwable cause);
}
