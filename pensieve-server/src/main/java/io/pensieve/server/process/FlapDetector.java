package io.pensieve.server.process;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.peers.PeerState;
import io.pensieve.server.peers.PeerStateChange;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Detects peers that die and return repeatedly. Such a peer raises an alarm. Its changes are not
 * reported one by one until it has kept its state for a while.
 */
public final class FlapDetector {
  /** This many deaths within the window raise an alarm. A window without a change clears it. */
  static final int DEATHS_MAX = 3;

  static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Alarms alarms;
  private final LongSupplier nanoClock;

  @GuardedBy("this")
  private final Map<URI, RecentChanges> byPeer = new HashMap<>();

  private static final class RecentChanges {
    final Deque<Long> deathsNanos = new ArrayDeque<>();
    long lastNanos;
    boolean flaps;
  }

  public FlapDetector(Alarms alarms, LongSupplier nanoClock) {
    this.alarms = alarms;
    this.nanoClock = nanoClock;
  }

  /** Records a change. Returns whether to report it. */
  public synchronized boolean shouldReport(PeerStateChange change) {
    long now = nanoClock.getAsLong();
    RecentChanges recentChanges =
        byPeer.computeIfAbsent(change.url(), first -> new RecentChanges());
    recentChanges.lastNanos = now;
    if (change.to() == PeerState.DEAD) {
      recentChanges.deathsNanos.add(now);
    }
    while (!recentChanges.deathsNanos.isEmpty()
        && now - recentChanges.deathsNanos.getFirst() > WINDOW_NANOS) {
      recentChanges.deathsNanos.removeFirst();
    }
    if (!recentChanges.flaps && recentChanges.deathsNanos.size() >= DEATHS_MAX) {
      recentChanges.flaps = true;
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
    return !recentChanges.flaps;
  }

  /** Clears the alarms of peers that have kept their state for long enough. */
  public synchronized void reportSettled() {
    long now = nanoClock.getAsLong();
    byPeer.forEach(
        (url, recentChanges) -> {
          if (recentChanges.flaps && now - recentChanges.lastNanos > WINDOW_NANOS) {
            recentChanges.flaps = false;
            recentChanges.deathsNanos.clear();
            alarms.clear(Alarms.Kind.PEER_FLAPPING, url.toString());
          }
        });
  }
}
