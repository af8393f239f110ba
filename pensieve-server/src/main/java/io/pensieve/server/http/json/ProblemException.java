package io.pensieve.server.http.json;

/** A request that is refused; nothing has been changed. The detail names no key and no value. */
public final class ProblemException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ProblemType type;
  private final String detail;
  private final transient FieldWriter members;

  ProblemException(ProblemType problem, String detail) {
    this(problem, detail, none -> {});
  }

  /** A refusal that tells more than others of its kind. */
  public ProblemException(ProblemType problem, String detail, FieldWriter members) {
    // Refusals are answers, not faults: a stack trace would make bad requests dearer than good
    // ones.
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

  /** What the answer has beyond the members of every problem. */
  public FieldWriter members() {
    return members;
  }
}
