package io.pensieve.server.client;

import java.io.IOException;

/** The server refused a request. */
public final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String code;

  RefusedException(int status, String code, String detail) {
    super(status + (code.isEmpty() ? "" : " " + code) + (detail.isEmpty() ? "" : ": " + detail));
    this.status = status;
    this.code = code;
  }

  public int status() {
    return status;
  }

  /** Returns the stable name of the reason; empty if the response has none. */
  public String code() {
    return code;
  }
}
