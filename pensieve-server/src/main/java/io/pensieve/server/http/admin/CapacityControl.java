package io.pensieve.server.http.admin;

import io.pensieve.Pensieve;
import io.pensieve.server.http.value.CurrentCapacity;
import java.util.Optional;
import java.util.function.Consumer;

/** Changes how much a map in use may hold. One change at a time. */
public final class CapacityControl {
  // Invariant: what is remembered for the next start covers what the map may hold. Otherwise a
  // start with smaller settings would drop entries without asking.

  private final Pensieve<?, ?> map;
  private final CurrentCapacity current;
  private final Consumer<Bounds> remember;

  /**
   * Creates a control.
   *
   * @param map has a bound by weight
   * @param current what the map may hold; is kept up to date
   * @param remember receives what the next start must be told of
   */
  public CapacityControl(Pensieve<?, ?> map, CurrentCapacity current, Consumer<Bounds> remember) {
    this.map = map;
    this.current = current;
    this.remember = remember;
  }

  /** How much the map may hold. */
  public record Bounds(long entries, long bytes) {}

  private Bounds now() {
    return new Bounds(map.maximumEntries(), map.maximumWeight());
  }

  /**
   * Changes the bounds that are given. Returns both when all that is beyond them is evicted.
   *
   * @throws io.pensieve.log.LogException if the log refuses an eviction, or the bounds cannot be
   *     remembered
   */
  public synchronized Bounds change(Optional<Long> entries, Optional<Long> bytes) {
    Bounds before = now();
    Bounds after = new Bounds(entries.orElse(before.entries()), bytes.orElse(before.bytes()));
    remember.accept(
        new Bounds(
            Math.max(before.entries(), after.entries()), Math.max(before.bytes(), after.bytes())));
    try {
      // What would not fit is refused from now on.
      current.set(after.entries(), Math.min(before.bytes(), after.bytes()));
      if (after.entries() != before.entries()) {
        map.maximumEntries(after.entries());
      }
      if (after.bytes() != before.bytes()) {
        map.maximumWeight(after.bytes());
      }
    } finally {
      Bounds reached = now();
      current.set(reached.entries(), reached.bytes());
    }
    remember.accept(after);
    return after;
  }
}
