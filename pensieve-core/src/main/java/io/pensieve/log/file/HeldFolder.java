package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;

/**
 * A log's folder, locked for that log alone.
 *
 * @param directory the folder, kept open
 */
record HeldFolder(LogDirectory directory, Disk.Lock lock) {

  /**
   * Creates the folder if needed, and locks it. Interrupts of the caller do no harm; the flag is
   * kept.
   *
   * @throws LogException.Locked if the folder is in use
   * @throws LogException.Failed if it cannot be created or used
   */
  static HeldFolder acquire(LogDirectory directory) {
    try {
      return UninterruptibleThread.call("pensieve-opening", () -> makeAndLock(directory));
    } catch (IOException refused) {
      throw failed("cannot use the folder " + directory.folder(), refused);
    }
  }

  private static HeldFolder makeAndLock(LogDirectory directory) throws IOException {
    directory.make();
    Disk.Lock lock = directory.disk().lock(directory.folder());
    try {
      return new HeldFolder(directory.opened(), lock);
    } catch (IOException | RuntimeException | Error refused) {
      lock.close();
      throw refused;
    }
  }

  static LogException.Failed failed(String what, IOException cause) {
    String why =
        cause instanceof AccessDeniedException
            ? "no permission for " + cause.getMessage()
            : cause instanceof FileAlreadyExistsException
                ? cause.getMessage() + " is not a folder"
                : cause.toString();
    return new LogException.Failed(what + ": " + why, cause);
  }

  /** Unlocks the folder and deletes the owner's line, however often the caller is interrupted. */
  void release() {
    try {
      releaseUninterrupted();
    } catch (IOException broken) {
      throw failed("cannot unlock " + directory.folder(), broken);
    }
  }

  // An interrupt would close the lock's file before the owner's line is deleted. If no thread can
  // be started, this thread takes that risk: a folder that stays locked is worse.
  private void releaseUninterrupted() throws IOException {
    UninterruptibleThread.Task<Boolean> releasing;
    UninterruptibleThread thread;
    try {
      releasing = new UninterruptibleThread.Task<>(this::releaseHere);
      thread = UninterruptibleThread.start("pensieve-closing", releasing);
    } catch (LogException.Failed | OutOfMemoryError noThread) {
      releaseHere();
      return;
    }
    thread.await();
    releasing.result();
  }

  private Boolean releaseHere() throws IOException {
    try {
      directory.close();
    } finally {
      lock.close();
    }
    return true;
  }
}
