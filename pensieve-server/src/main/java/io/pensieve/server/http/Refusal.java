package io.pensieve.server.http;

/** A request that is refused; nothing has been changed. The detail names no key and no value. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Problem problem;
  private final String detail;

  Refusal(Problem problem, String detail) {
    // Refusals are answers, not faults: a stack trace would make bad requests dearer than good
    // ones.
    super(detail, null, false, false);
    this.problem = problem;
    this.detail = detail;
  }

  Problem problem() {
    return problem;
  }

  String detail() {
    return detail;
  }
}
