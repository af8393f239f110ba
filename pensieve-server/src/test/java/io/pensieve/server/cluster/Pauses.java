package io.pensieve.server.cluster;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** How long no write was acknowledged, from when each fault began to strike. To be printed. */
final class Pauses {
  private static final long NANOS_A_MILLI = 1_000_000;

  private final Map<Fault, List<Long>> millis = new EnumMap<>(Fault.class);

  void add(Fault fault, long nanos) {
    millis.computeIfAbsent(fault, unknown -> new ArrayList<>()).add(nanos / NANOS_A_MILLI);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("milliseconds until a write, middle and longest:");
    millis.forEach(
        (fault, all) -> {
          Collections.sort(all);
          text.append(' ').append(fault).append(' ').append(all.get(all.size() / 2));
          text.append('/').append(all.get(all.size() - 1));
        });
    return text.toString();
  }
}
