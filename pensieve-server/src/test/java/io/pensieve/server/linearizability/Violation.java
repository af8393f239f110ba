package io.pensieve.server.linearizability;

import java.util.List;

/**
 * The smallest prefix of a history that no order explains.
 *
 * @param last the operation whose answer cannot be
 * @param completed those that completed before, in this order
 * @param underWay those that were invoked before, and had not completed
 * @param states what the key can have held before the last one took effect
 */
public record Violation(
    Operation last, List<Operation> completed, List<Operation> underWay, List<String> states) {
  private static final int COMPLETED_SHOWN = 15;

  @Override
  public String toString() {
    StringBuilder words = new StringBuilder();
    words.append("no order of the first ").append(completed.size() + 1);
    words.append(" operations explains the last of them:\n  ").append(last).append('\n');
    words.append("when the one before it completed, the key could hold:\n");
    states.forEach(state -> words.append("  ").append(state).append('\n'));
    words.append("under way, or of unknown outcome:\n");
    underWay.forEach(each -> words.append("  ").append(each).append('\n'));
    words.append("completed before, the latest ones:\n");
    completed.stream()
        .skip(Math.max(0, completed.size() - COMPLETED_SHOWN))
        .forEach(each -> words.append("  ").append(each).append('\n'));
    return words.toString();
  }
}
