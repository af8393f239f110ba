package io.pensieve.server.http.changes;

import io.pensieve.PendingRead;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.pensieve.log.LogException;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.transport.Permits;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioExecutor;

/** Requests that wait, without a thread, until an entry differs from the one their client knows. */
public final class LongPolls {
  private final Pensieve<String, StoredValue> map;
  private final ChangeHub hub;
  private final WaitLimits limits;
  private final Permits permits;
  private final InstantSource clock;
  private final Set<Poll> parked = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  public LongPolls(
      Pensieve<String, StoredValue> map,
      ChangeHub hub,
      WaitLimits limits,
      Permits permits,
      InstantSource clock) {
    this.map = map;
    this.hub = hub;
    this.limits = limits;
    this.permits = permits;
    this.clock = clock;
  }

  /** Sends an entry, or its absence, as the response. */
  public interface Responder {
    void answer(HttpServerExchange exchange, @Nullable Versioned<StoredValue> entry);
  }

  /**
   * Responds when the entry is absent, or has a version that the client does not know, or when the
   * wait ends, whichever comes first.
   *
   * @param wait the maximum wait; cut to the limit
   */
  public void park(
      HttpServerExchange exchange,
      String key,
      LongPredicate isKnown,
      Duration wait,
      Responder responder) {
    permits.acquire(exchange);
    Poll poll = new Poll(exchange, key, isKnown, responder);
    Duration patience = wait.compareTo(limits.waitMax()) < 0 ? wait : limits.waitMax();
    exchange.dispatch(SameThreadExecutor.INSTANCE, () -> poll.begin(patience));
  }

  /** Returns how many requests wait. */
  public int parked() {
    return permits.acquired();
  }

  /** Responds to all waiting requests, now and from now on, with the current entry. */
  public void drain() {
    draining = true;
    parked.forEach(poll -> poll.exchange.getIoThread().execute(poll::look));
  }

  /** One request. Everything runs on its I/O thread. */
  private final class Poll {
    // Invariant: any exception of a task, also an Error, becomes the response. Nothing else would
    // ever end the poll, and it would keep its permit and its client.

    final HttpServerExchange exchange;
    private final String key;
    private final LongPredicate isKnown;
    private final Responder responder;
    // Runs on the hub's thread.
    private final Runnable listener;
    private final DisconnectWatch disconnect;
    private XnioExecutor.@Nullable Key deadline;
    private XnioExecutor.@Nullable Key expiry;
    private boolean over;
    private boolean done;
    private boolean looking;
    private boolean lookAgain;
    private final AtomicBoolean isDue = new AtomicBoolean();

    Poll(HttpServerExchange exchange, String key, LongPredicate isKnown, Responder responder) {
      this.exchange = exchange;
      this.key = key;
      this.isKnown = isKnown;
      this.responder = responder;
      this.listener = this::lookSoon;
      this.disconnect = new DisconnectWatch(exchange, this::lookForTheLastTime);
    }

    void begin(Duration wait) {
      parked.add(this);
      exchange.addExchangeCompleteListener(
          (completed, next) -> {
            end();
            next.proceed();
          });
      try {
        // Listen before the first look: the hub reports a later change, and the look sees an
        // earlier one.
        hub.addListener(key, listener);
        deadline = after(wait.toMillis(), this::lookForTheLastTime);
        disconnect.begin();
        look();
      } catch (RuntimeException | Error broken) {
        fail(broken);
      }
    }

    private XnioExecutor.Key after(long millis, Runnable task) {
      return exchange.getIoThread().executeAfter(task, millis, TimeUnit.MILLISECONDS);
    }

    private void lookForTheLastTime() {
      over = true;
      look();
    }

    private void lookAfterExpiry() {
      expiry = null;
      look();
    }

    // However often a key is written, at most one look is queued; otherwise looks could pile up.
    private void lookSoon() {
      if (!isDue.getAndSet(true)) {
        try {
          exchange.getIoThread().execute(this::lookAsDue);
        } catch (RuntimeException | Error notDue) {
          isDue.set(false); // otherwise later changes would be ignored
          throw notDue;
        }
      }
    }

    private void lookAsDue() {
      isDue.set(false); // before the look: a change after this triggers another look
      look();
    }

    void look() {
      try {
        lookNow();
      } catch (RuntimeException | Error broken) {
        fail(broken);
      }
    }

    private void lookNow() {
      if (done || looking) {
        lookAgain = true;
        return;
      }
      RuntimeException broken = hub.failure();
      if (broken != null) {
        fail(broken);
        return;
      }
      looking = true;
      lookAgain = false;
      PendingRead<StoredValue> seen = map.getAsync(key);
      if (seen.durable().isDone()) {
        seenDurable(seen);
      } else {
        CompletableFuture<Void> unused =
            seen.durable()
                .whenComplete((done, failure) -> exchange.getIoThread().execute(() -> seen(seen)));
      }
    }

    private void seen(PendingRead<StoredValue> seen) {
      try {
        seenDurable(seen);
      } catch (RuntimeException | Error broken) {
        fail(broken);
      }
    }

    private void seenDurable(PendingRead<StoredValue> seen) {
      looking = false;
      if (done) {
        return;
      }
      if (seen.durable().isCompletedExceptionally()) {
        fail(new LogException.Failed("the log has failed", null));
        return;
      }
      Versioned<StoredValue> entry = seen.entry();
      boolean isNews = entry == null || !isKnown.test(entry.version());
      boolean isLast = over || draining;
      // An entry that has expired on a follower: the hub reports its removal, or its replacement.
      boolean isUncertain = LeaderGate.isUncertain(exchange, seen.expired());
      if (isUncertain && isLast) {
        end();
        answerAtLeader();
      } else if (!isUncertain && (isNews || isLast)) {
        end();
        answer(entry);
      } else if (lookAgain) {
        look();
      } else if (entry != null) {
        awaitExpiry(entry);
      }
    }

    // The hub reports the removal, too, but up to a second later.
    private void awaitExpiry(Versioned<StoredValue> entry) {
      entry
          .remaining(clock.instant())
          .filter(rest -> expiry == null)
          .ifPresent(rest -> expiry = after(rest.toMillis() + 1, this::lookAfterExpiry));
    }

    private void answer(@Nullable Versioned<StoredValue> entry) {
      try {
        responder.answer(exchange, entry);
      } catch (RuntimeException | Error refused) {
        ExceptionMapper.respond(exchange, refused);
      }
    }

    private void answerAtLeader() {
      try {
        LeaderGate.endWaitAtLeader(exchange);
      } catch (RuntimeException | Error refused) {
        ExceptionMapper.respond(exchange, refused);
      }
    }

    private void fail(Throwable broken) {
      if (!done) {
        end();
        ExceptionMapper.respond(exchange, broken);
      }
    }

    private void end() {
      done = true;
      if (parked.remove(this)) {
        hub.removeListener(key, listener);
        disconnect.end();
        cancel(deadline);
        cancel(expiry);
      }
    }

    private static void cancel(XnioExecutor.@Nullable Key timer) {
      if (timer != null) {
        timer.remove();
      }
    }
  }
}
