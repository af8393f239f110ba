package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;

/** What becomes of an operation of a simulated disk that is to fail. */
enum DiskFault {
  NONE,
  /** The operation fails; a force that does never writes what it was to write. */
  INPUT_OUTPUT_ERROR,
  /** Whatever needs room fails; the rest works. */
  NO_SPACE_LEFT,
  /** Nothing may be made, written or opened. */
  NO_PERMISSION,
  /** Whatever needs room fails, but for forces of what was written before. */
  NO_QUOTA,
  /** Nothing may be made or opened; what is open works. */
  NO_DESCRIPTORS,
  /** The memory is full. */
  OUT_OF_MEMORY,
  /** The stack is full. */
  STACK_OVERFLOW,
  /** Something is wrong with the machine. */
  MACHINE_ERROR,
  /** The same, and there is no memory to say what. */
  NO_WORDS;

  /** Throws what it means for an operation, if it means anything for that one. */
  void strike(String operation, boolean needsRoom) throws IOException {
    switch (this) {
      case NONE -> {}
      case INPUT_OUTPUT_ERROR -> throw new IOException(operation);
      case NO_PERMISSION -> throw new AccessDeniedException(operation);
      case OUT_OF_MEMORY -> throw new OutOfMemoryError(operation);
      case STACK_OVERFLOW -> throw new StackOverflowError(operation);
      case MACHINE_ERROR -> throw new InternalError(operation);
      case NO_WORDS -> throw new NoMessageError();
      case NO_SPACE_LEFT -> {
        if (needsRoom) {
          throw new IOException(operation + ": No space left on device");
        }
      }
      case NO_QUOTA -> {
        if (needsRoom && !(operation.contains(": force ") && operation.endsWith(".log"))) {
          throw new IOException("Disk quota exceeded");
        }
      }
      case NO_DESCRIPTORS -> {
        if (operation.matches(".*: (create|open) .*|.*: list")) {
          throw new FileSystemException(operation, null, "Too many open files");
        }
      }
    }
  }

  @SuppressWarnings("OverrideThrowableToString") // whoever wants its words is to fail
  static final class NoMessageError extends InternalError {
    private static final long serialVersionUID = 1L;

    @Override
    public String toString() {
      throw new OutOfMemoryError("for words");
    }
  }
}
