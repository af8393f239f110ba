package io.pensieve.server.http.json;

/** Rejects a request, which has changed nothing. The detail contains no key and no value. */
public final class ProblemException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ProblemType type;
  private final String detail;
  private final transient FieldWriter members;

  ProblemException(ProblemType problem, String detail) {
    this(problem, detail, none -> {});
  }

  /** Creates a problem with additional members. */
  public ProblemException(ProblemType problem, String detail, FieldWriter members) {
    // A stack trace would make rejected requests more expensive than accepted ones, so omit it.
    super(detail, null, false, false);
    this.type = problem;
    this.detail = detail;
    this.members = members;
  }

  public ProblemType type() {
    return type;
  }

  public String detail() {
    return detail;
  }

  /** Writes the members beyond those of every problem. */
  public FieldWriter members() {
    return members;
  }
}
