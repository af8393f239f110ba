package io.pensieve.bench;

import java.util.HashMap;
import java.util.Map;

/** What the benchmarks without JMH are told: {@code name=value}. */
public final class Options {
  private Options() {}

  /** The values by their names. */
  public static Map<String, String> of(String... arguments) {
    Map<String, String> options = new HashMap<>();
    for (String argument : arguments) {
      String[] parts = argument.split("=", 2);
      options.put(parts[0], parts[parts.length - 1]);
    }
    return options;
  }
}
