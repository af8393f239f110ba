package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.net.URI;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The state of one peer. Times are nanoseconds since the monitoring began. */
final class Peer {
  private static final long NEVER = -1;
  static final int FAILURES_TOLD_MIN = 4; // one second of heartbeats
  static final int REASONS_TOLD_MAX = 4; // a peer with ever new reasons must not fill the log
  private static final Pattern ENDING_IN_A_NUMBER = Pattern.compile("[^.:]*[^.:0-9](\\d{1,18})");

  /*
   * Two sides. Any thread records signals in answersNanos and beatNanos. Only the checking thread
   * reads them, in drainSignals(), and only it changes the detector and the fields after it. A peer
   * has at most one heartbeat in flight, so its responses are few and none is lost. The peer's own
   * heartbeats only prove when it was last alive. So the latest one is enough, and a flood of them
   * costs no memory.
   */
  private final URI url;
  private volatile OptionalLong id;
  private final Queue<Long> answersNanos = new ConcurrentLinkedQueue<>();
  private final AtomicLong beatNanos = new AtomicLong(NEVER);
  // Written by the thread that sends heartbeats.
  private volatile HeartbeatFailure failure = HeartbeatFailure.none();

  private final PhiAccrualDetector detector = new PhiAccrualDetector();
  private volatile PeerState state = PeerState.DEAD;
  private long sinceNanos;
  private long lastHeardNanos = NEVER;
  // When it was last heard before it last stopped being alive.
  private long silentFromNanos = NEVER;
  private final Set<String> reasonsTold = new HashSet<>(); // since its last response

  Peer(URI url) {
    this.url = url;
    this.id = numberOf(url.getHost());
  }

  /**
   * Returns the number at the end of the first label of a host name, such as {@code node2} or
   * {@code pensieve-2.example}. Empty for numeric addresses. Nodes were identified by this number
   * before they sent their ids.
   */
  static OptionalLong numberOf(String host) {
    String name = host.indexOf('.') < 0 ? host : host.substring(0, host.indexOf('.'));
    Matcher matcher = ENDING_IN_A_NUMBER.matcher(name);
    return matcher.matches()
        ? OptionalLong.of(Long.parseLong(matcher.group(1)))
        : OptionalLong.empty();
  }

  URI url() {
    return url;
  }

  /** Returns whether the peer is dead, but its own heartbeat would identify it when it is back. */
  boolean announcesItself() {
    return state == PeerState.DEAD && id.isPresent();
  }

  boolean hasId(long nodeId) {
    OptionalLong known = id;
    return known.isPresent() && known.getAsLong() == nodeId;
  }

  /** The peer responded to a heartbeat, with its id if it knows that. */
  void onResponse(OptionalLong nodeId, long atNanos) {
    if (nodeId.isPresent()) {
      id = nodeId;
    }
    failure = HeartbeatFailure.none();
    answersNanos.add(atNanos);
  }

  /** The peer did not respond to a heartbeat. */
  void onNoResponse(String reason) {
    failure = HeartbeatFailure.after(failure, reason);
  }

  /** The peer sent a heartbeat of its own. */
  void onHeartbeat(long atNanos) {
    beatNanos.accumulateAndGet(atNanos, Math::max);
  }

  /** Removes all signals and passes them to the detector. */
  void drainSignals(PauseAdjustedTime time) {
    if (time.overslept()) {
      detector.interrupted();
    }
    for (Long at = answersNanos.poll(); at != null; at = answersNanos.poll()) {
      lastHeardNanos = Math.max(lastHeardNanos, at);
      if (time.overslept()) {
        detector.onHeartbeat(time.awakeNanos(at));
      } else {
        detector.onResponse(time.awakeNanos(at));
      }
    }
    long at = beatNanos.get();
    if (at > lastHeardNanos) {
      lastHeardNanos = at;
      detector.onHeartbeat(time.awakeNanos(at));
    }
  }

  /** Decides the current state. Returns the change if the state differs from the previous one. */
  Optional<PeerStateChange> evaluate(PauseAdjustedTime time) {
    PeerState before = state;
    PeerState after = detector.evaluate(time.awakeNanos());
    if (after == before) {
      return Optional.empty();
    }
    if (before == PeerState.ALIVE) {
      silentFromNanos = lastHeardNanos;
    }
    long silentUntilNanos = after == PeerState.ALIVE ? lastHeardNanos : time.nowNanos();
    state = after;
    sinceNanos = time.nowNanos();
    Optional<String> reason = after == PeerState.ALIVE ? Optional.empty() : reason();
    reason.ifPresent(reasonsTold::add);
    return Optional.of(
        new PeerStateChange(
            url, id, before, after, millis(silentFromNanos, silentUntilNanos), reason));
  }

  private Optional<String> reason() {
    HeartbeatFailure latest = failure;
    return latest.inRow() == 0 ? Optional.empty() : Optional.of(latest.reason());
  }

  /**
   * Returns why the peer does not respond, if that should be reported. No state change may report
   * it: the peer may have been dead from the start, or be alive by its own heartbeats alone.
   */
  Optional<PeerUnresponsive> pollUnresponsive() {
    HeartbeatFailure latest = failure;
    if (latest.inRow() == 0) {
      reasonsTold.clear();
    }
    boolean isNews =
        latest.inRow() >= FAILURES_TOLD_MIN
            && reasonsTold.size() < REASONS_TOLD_MAX
            && reasonsTold.add(latest.reason());
    return isNews ? Optional.of(new PeerUnresponsive(url, id, latest.reason())) : Optional.empty();
  }

  PeerView view(PauseAdjustedTime time) {
    long nowNanos = time.nowNanos();
    return new PeerView(
        url,
        id,
        state,
        detector.phi(time.awakeNanos()),
        millis(lastHeardNanos, nowNanos),
        NANOSECONDS.toMillis(nowNanos - sinceNanos));
  }

  private static OptionalLong millis(long fromNanos, long untilNanos) {
    return fromNanos == NEVER
        ? OptionalLong.empty()
        : OptionalLong.of(NANOSECONDS.toMillis(Math.max(0, untilNanos - fromNanos)));
  }
}
