package io.pensieve.server.client;

import java.io.IOException;

/** There is no response: the server cannot be reached, or the connection broke. */
public final class UnreachableException extends IOException {
  private static final long serialVersionUID = 1L;

  public UnreachableException(String message, Throwable cause) {
    super(message, cause);
  }
}
