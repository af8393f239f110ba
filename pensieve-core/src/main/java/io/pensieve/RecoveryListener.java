package io.pensieve;

/** Is told how far a recovery has come; for a progress display. */
@FunctionalInterface
public interface RecoveryListener {

  /**
   * Called now and then, by one thread of the log; not to use the log, nor to take long.
   *
   * @param bytesRead how much of the log has been read
   * @param bytesTotal how much there is, or 0 if that is not known
   */
  void recovered(long bytesRead, long bytesTotal);
}
