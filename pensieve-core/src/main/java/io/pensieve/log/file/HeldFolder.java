package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;

/**
 * A log's folder while it is kept for that log alone.
 *
 * @param directory the folder, open
 */
record HeldFolder(LogDirectory directory, Disk.Lock lock) {

  /**
   * Makes the folder where needed, and locks it. An interrupt does no harm; the flag is kept.
   *
   * @throws LogException.Locked if the folder is in use
   * @throws LogException.Failed if it cannot be made or used
   */
  static HeldFolder take(LogDirectory directory) {
    boolean interrupted = Thread.interrupted(); // who is interrupted beside a channel closes it
    try {
      directory.make();
      Disk.Lock lock = directory.disk().lock(directory.folder());
      try {
        return new HeldFolder(directory.opened(), lock);
      } catch (IOException | RuntimeException | Error refused) {
        lock.close();
        throw refused;
      }
    } catch (IOException refused) {
      throw failed("cannot use the folder " + directory.folder(), refused);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
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

  /** Lets others have the folder. */
  void release() {
    try {
      try {
        directory.close();
      } finally {
        lock.close();
      }
    } catch (IOException broken) {
      throw failed("cannot unlock " + directory.folder(), broken);
    }
  }
}
