package io.pensieve.server;

import io.pensieve.server.http.Alarms;
import io.pensieve.server.peers.PeerChange;
import io.pensieve.server.peers.PeerState;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Finds peers that die and come back again and again. One that does so is an alarm, and its changes
 * are not told one by one until it has kept its state for a while.
 */
final class Flapping {
  /** So many deaths within the time make an alarm; so long without a change ends it. */
  static final int DEATHS_MAX = 3;

  static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Alarms alarms;
  private final LongSupplier nanoClock;
  private final Map<URI, Changes> byPeer = new HashMap<>(); // guarded by this

  private static final class Changes {
    final Deque<Long> deathsNanos = new ArrayDeque<>();
    long lastNanos;
    boolean flaps;
  }

  Flapping(Alarms alarms, LongSupplier nanoClock) {
    this.alarms = alarms;
    this.nanoClock = nanoClock;
  }

  /** Takes a change into account; whether it is to be told by itself. */
  synchronized boolean isNews(PeerChange change) {
    long now = nanoClock.getAsLong();
    Changes changes = byPeer.computeIfAbsent(change.url(), first -> new Changes());
    changes.lastNanos = now;
    if (change.to() == PeerState.DEAD) {
      changes.deathsNanos.add(now);
    }
    while (!changes.deathsNanos.isEmpty() && now - changes.deathsNanos.getFirst() > WINDOW_NANOS) {
      changes.deathsNanos.removeFirst();
    }
    if (!changes.flaps && changes.deathsNanos.size() >= DEATHS_MAX) {
      changes.flaps = true;
      alarms.raise(
          Alarms.Kind.PEER_FLAPPING,
          change.url().toString(),
          "died "
              + DEATHS_MAX
              + " times within "
              + TimeUnit.NANOSECONDS.toSeconds(WINDOW_NANOS)
              + " s; its changes are not told until it keeps its state for as long");
      return false;
    }
    return !changes.flaps;
  }

  /** Ends the alarms of those that have kept their state for long enough. */
  synchronized void settle() {
    long now = nanoClock.getAsLong();
    byPeer.forEach(
        (url, changes) -> {
          if (changes.flaps && now - changes.lastNanos > WINDOW_NANOS) {
            changes.flaps = false;
            changes.deathsNanos.clear();
            alarms.clear(Alarms.Kind.PEER_FLAPPING, url.toString());
          }
        });
  }
}
