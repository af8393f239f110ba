package io.pensieve;

/** Receives the progress of a recovery, for a progress display. */
@FunctionalInterface
public interface RecoveryListener {

  /**
   * Called from time to time, by one thread of the log at a time. Must not use the log, and must be
   * fast.
   *
   * @param bytesRead how much of the log has been read
   * @param bytesTotal how much there is, or 0 if unknown
   */
  void recovered(long bytesRead, long bytesTotal);
}
