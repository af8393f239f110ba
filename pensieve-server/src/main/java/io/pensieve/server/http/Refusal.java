package io.pensieve.server.http;

/** A request that is refused; nothing has been changed. The detail names no key and no value. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Problem problem;
  private final String detail;
  private final transient Answers.Fields members;

  Refusal(Problem problem, String detail) {
    this(problem, detail, none -> {});
  }

  /** A refusal that tells more than others of its kind. */
  Refusal(Problem problem, String detail, Answers.Fields members) {
    // Refusals are answers, not faults: a stack trace would make bad requests dearer than good
    // ones.
    super(detail, null, false, false);
    this.problem = problem;
    this.detail = detail;
    this.members = members;
  }

  Problem problem() {
    return problem;
  }

  String detail() {
    return detail;
  }

  /** What the answer has beyond the members of every problem. */
  Answers.Fields members() {
    return members;
  }
}
