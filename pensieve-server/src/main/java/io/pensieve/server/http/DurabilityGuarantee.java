package io.pensieve.server.http;

import io.pensieve.log.Durability;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.QueryParameters;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the log promises of an acknowledged write.
 *
 * @param durability its level; empty if there is no log that survives anything
 */
record DurabilityGuarantee(Optional<Durability> durability) {
  private static final String NONE = "none";
  // Weakest first: each survives what those before it do.
  private static final List<String> LEVELS =
      List.of(NONE, name(Durability.PROCESS_DEATH), name(Durability.POWER_CUT));

  private static String name(Durability level) {
    return level.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The name of the level, as the configuration has it. */
  String level() {
    return durability.map(DurabilityGuarantee::name).orElse(NONE);
  }

  /**
   * Whether a read may wait for the disk: only then may a value be seen before the disk has it, and
   * a read must not tell what a power cut could still take back.
   */
  boolean readsMayWait() {
    return durability.stream().anyMatch(Durability.POWER_CUT::equals);
  }

  /** Refuses a request that asks for more than is promised. Asking for less is asking for this. */
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
