package io.pensieve.replication.format;

/** Bytes that are not of this format: written by a later version, or damaged. */
public final class MalformedException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  MalformedException(String expected, String found, int offset) {
    super("expected " + expected + " at offset " + offset + ", found " + found);
  }
}
