package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.StateMachine;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What an operator must know of the engine, a line each; and its end, which is told once. */
final class EngineEvents {
  private static final int LINES_A_MINUTE_MAX = 64;
  private static final long AGAIN_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final Consumer<String> lines;
  private final StateMachine machine;
  private final AtomicBoolean isOver = new AtomicBoolean();
  private final Map<String, Long> lastSaid = new ConcurrentHashMap<>();
  private volatile @Nullable String leader;
  private volatile boolean isWithoutLeader;
  private volatile boolean hasFailed;

  EngineEvents(Consumer<String> lines, StateMachine machine) {
    this.lines = lines;
    this.machine = machine;
  }

  void leaderIs(String id) {
    isWithoutLeader = false;
    if (!id.equals(leader)) {
      leader = id;
      lines.accept("node " + id + " leads");
    }
  }

  /** Ratis says so again and again, an operator wants to know it once. */
  void noLeader() {
    leader = null;
    if (isWithoutLeader) {
      return;
    }
    isWithoutLeader = true;
    lines.accept("no leader for 10 s: do a majority of the members run, and reach one another?");
  }

  void slow(String follower) {
    sayOnceAMinute("node " + follower + " has not answered for 10 s");
  }

  /** A peer could not prove who it is. It tries again and again. */
  void refused(String peer, String reason) {
    sayOnceAMinute("no connection with " + peer + ": " + reason);
  }

  /** Strangers may cause lines, so there are not many different ones a minute. */
  private void sayOnceAMinute(String line) {
    long now = System.nanoTime();
    lastSaid.values().removeIf(said -> now - said > AGAIN_NANOS);
    if (lastSaid.size() < LINES_A_MINUTE_MAX && lastSaid.putIfAbsent(line, now) == null) {
      lines.accept(line);
    }
  }

  void event(String line) {
    lines.accept(line);
  }

  /** The member is being closed: what follows is no failure. */
  void closing() {
    isOver.set(true);
  }

  /**
   * The member cannot go on. Says so in a thread of its own: this one may be one of Ratis', and
   * whoever hears it may close the member, which waits for those.
   */
  void failed(Throwable cause) {
    hasFailed = true;
    if (isOver.compareAndSet(false, true)) {
      new Thread(() -> machine.fail(cause), "pensieve-raft-failure").start();
    }
  }

  /** Whether the member cannot go on, or could not while it was being closed. */
  boolean hasFailed() {
    return hasFailed;
  }

  /** Ratis has stopped, for a reason of its own unless one was told before. */
  void stopped(boolean isMember) {
    if (isMember) {
      failed(new IOException("the consensus engine has stopped"));
    } else if (isOver.compareAndSet(false, true)) {
      lines.accept(
          "this member was removed from its cluster. To add it again, stop it and empty its"
              + " folder");
    }
  }
}
