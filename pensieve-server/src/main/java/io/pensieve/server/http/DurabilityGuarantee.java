package io.pensieve.server.http;

import io.pensieve.log.Durability;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.QueryParameters;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the log guarantees for an acknowledged write.
 *
 * @param durability the level; empty without a persistent log
 */
record DurabilityGuarantee(Optional<Durability> durability) {
  private static final String NONE = "none";
  // Weakest first: each level includes the ones before it.
  private static final List<String> LEVELS =
      List.of(NONE, name(Durability.PROCESS_DEATH), name(Durability.POWER_CUT));

  private static String name(Durability level) {
    return level.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the name of the level, as in the configuration. */
  String level() {
    return durability.map(DurabilityGuarantee::name).orElse(NONE);
  }

  /**
   * Returns whether a read may wait for the disk. With {@code POWER_CUT} a value can become visible
   * before it is on the disk. A read must not return a value that a power cut could still undo.
   */
  boolean readsMayWait() {
    return durability.stream().anyMatch(Durability.POWER_CUT::equals);
  }

  /**
   * Rejects a request for a higher level than guaranteed. A request for a lower level gets this
   * one.
   */
  void requireUpTo(Optional<String> asked) {
    if (asked.isEmpty()) {
      return;
    }
    int level = LEVELS.indexOf(asked.get());
    if (level < 0) {
      throw QueryParameters.invalid("durability", "one of " + String.join(", ", LEVELS));
    }
    if (level > LEVELS.indexOf(level())) {
      throw ProblemType.DURABILITY_NOT_PROMISED.withDetail(
          "this server promises " + level() + "; nothing was changed");
    }
  }
}
