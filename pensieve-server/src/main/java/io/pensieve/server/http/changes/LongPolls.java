package io.pensieve.server.http.changes;

import io.pensieve.PendingRead;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.pensieve.log.LogException;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.transport.Permits;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
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

/** Requests that wait, without a thread, until an entry is another one than their client knows. */
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

  /** Answers with an entry, or with its absence. */
  public interface Responder {
    void answer(HttpServerExchange exchange, @Nullable Versioned<StoredValue> entry);
  }

  /**
   * Answers when the entry is gone, or has a version that the client does not know, or when the
   * time is over, whichever comes first.
   *
   * @param wait how long at most; cut to what is allowed
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

  /** How many requests wait. */
  public int parked() {
    return permits.acquired();
  }

  /** Answers all that wait, now and from now on: nothing has changed for them so far. */
  public void drain() {
    draining = true;
    parked.forEach(poll -> poll.exchange.getIoThread().execute(poll::look));
  }

  /** One request. All of it happens on its I/O thread. */
  private final class Poll {
    // Invariant: whatever a task of this one throws, an Error too, is its answer: no one else would
    // ever end it, and it would keep its place and its client.

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
        // Before the first look: a change after it is told, one before it is seen.
        hub.addListener(key, listener);
        deadline = after(wait.toMillis(), this::lookForTheLastTime);
        disconnect.begin();
        look();
      } catch (IOException | RuntimeException | Error broken) {
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

    // However often a key is written, one look is due at most: else they could pile up.
    private void lookSoon() {
      if (!isDue.getAndSet(true)) {
        try {
          exchange.getIoThread().execute(this::lookAsDue);
        } catch (RuntimeException | Error notDue) {
          isDue.set(false); // or no later change would be looked at
          throw notDue;
        }
      }
    }

    private void lookAsDue() {
      isDue.set(false); // before the look: a change after this one is looked at again
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
      if (entry == null || !isKnown.test(entry.version()) || over || draining) {
        end();
        answer(entry);
      } else if (lookAgain) {
        look();
      } else {
        awaitExpiry(entry);
      }
    }

    // Its removal is told, too, but may take a second more.
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
