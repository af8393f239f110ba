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

/** What is known of one peer. Times are nanoseconds since the watch began. */
final class Peer {
  private static final long NEVER = -1;
  static final int FAILURES_TOLD_MIN = 4; // a second of beats
  static final int REASONS_TOLD_MAX = 4; // a peer that makes up ever new ones must not fill the log
  private static final Pattern ENDING_IN_A_NUMBER = Pattern.compile("[^.:]*[^.:0-9](\\d{1,18})");

  /*
   * Two sides. Any thread drops signs of life into the letter box; only the thread that checks
   * takes them out, in check(), and touches everything below it. A peer has one beat in flight, so
   * answers are few and none is lost; its own beats only say how late it was last alive, so the
   * latest is enough, and a flood of them costs no memory.
   */
  private final URI url;
  private volatile OptionalLong id;
  private final Queue<Long> answersNanos = new ConcurrentLinkedQueue<>();
  private final AtomicLong beatNanos = new AtomicLong(NEVER);
  private volatile HeartbeatFailure failure =
      HeartbeatFailure.none(); // written by the thread that beats

  private final PhiAccrualDetector detector = new PhiAccrualDetector();
  private volatile PeerState state = PeerState.DEAD;
  private long sinceNanos;
  private long lastHeardNanos = NEVER;
  private long silentFromNanos = NEVER; // when last heard before it was last not alive
  private final Set<String> reasonsTold = new HashSet<>(); // since it last answered

  Peer(URI url) {
    this.url = url;
    this.id = numberOf(url.getHost());
  }

  /**
   * The number at the end of the first part of a host name, as nodes were told apart before they
   * said who they are: {@code node2}, {@code pensieve-2.example}; none for numeric addresses.
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

  /** Whether it is dead, and its own beat would be known as its when it is back. */
  boolean announcesItself() {
    return state == PeerState.DEAD && id.isPresent();
  }

  boolean hasId(long nodeId) {
    OptionalLong known = id;
    return known.isPresent() && known.getAsLong() == nodeId;
  }

  /** It answered a beat, and said who it is if it can. */
  void onResponse(OptionalLong nodeId, long atNanos) {
    if (nodeId.isPresent()) {
      id = nodeId;
    }
    failure = HeartbeatFailure.none();
    answersNanos.add(atNanos);
  }

  /** It did not answer a beat. */
  void onNoResponse(String reason) {
    failure = HeartbeatFailure.after(failure, reason);
  }

  /** A beat of its own came in. */
  void onHeartbeat(long atNanos) {
    beatNanos.accumulateAndGet(atNanos, Math::max);
  }

  /** Empties the letter box. */
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

  /** Decides what it is now; the change, if that is something else than before. */
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
   * Why it goes on not answering, if that is to be told: it may have been dead from the start, or
   * be alive by its own beats alone, so that no change of its state says it.
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
