package io.pensieve.server.http.replication;

import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.DurationFormat;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.QueryParameters;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides for each request of a replicating server where it is served: here, here after a barrier,
 * or by the leader. Stands below all routes, so no route can forget it.
 */
public final class LeaderGate {
  private static final HttpString STALENESS = new HttpString("Pensieve-Staleness");

  private static final String WAIT = "wait";

  private static final AttachmentKey<Boolean> MAY_BE_STALE = AttachmentKey.create(Boolean.class);
  private static final AttachmentKey<LeaderGate> GATE = AttachmentKey.create(LeaderGate.class);

  private final Replication replication;
  private final Forwarder forwarder;

  public LeaderGate(Replication replication, Forwarder forwarder) {
    this.replication = replication;
    this.forwarder = forwarder;
  }

  public Replication replication() {
    return replication;
  }

  public Forwarder forwarder() {
    return forwarder;
  }

  /** Serves a request by this handler, now or later, or forwards it. */
  public void serve(ServedBy servedBy, HttpServerExchange exchange, HttpHandler here)
      throws Exception {
    switch (servedBy) {
      case ANY_NODE -> here.handleRequest(exchange);
      case CAUGHT_UP_NODE -> read(exchange, here);
      case LEADER -> write(exchange, here);
    }
  }

  /*
   * A write may read, too: the reads of a batch, the keys to delete. A leader that was paused does
   * not know yet that another one leads, and would read an old state. So a write passes the barrier
   * like a read. While the leader's lease runs, that asks nobody.
   */
  private void write(HttpServerExchange exchange, HttpHandler here) throws Exception {
    if (replication.isLeading()) {
      afterBarrier(exchange, now -> writeHereOrForward(now, here), true);
    } else {
      forwarder.forward(exchange);
    }
  }

  private void writeHereOrForward(HttpServerExchange exchange, HttpHandler here) throws Exception {
    if (replication.isLeading()) {
      here.handleRequest(exchange);
    } else {
      forwarder.forward(exchange);
    }
  }

  private void read(HttpServerExchange exchange, HttpHandler here) throws Exception {
    ReadConsistency consistency = ReadConsistency.of(exchange.getQueryString());
    if (!replication.isReadable()) {
      forwardRead(exchange);
    } else if (consistency == ReadConsistency.STALE) {
      readStale(exchange, here);
    } else {
      if (!replication.isLeading()) {
        exchange.putAttachment(GATE, this);
      }
      afterBarrier(exchange, now -> readHereOrForward(now, here), false);
    }
  }

  private void readHereOrForward(HttpServerExchange exchange, HttpHandler here) throws Exception {
    try {
      here.handleRequest(exchange);
    } catch (UncertainRead onlyTheLeaderKnows) {
      forwarder.forward(exchange);
    }
  }

  /**
   * Requires that this node knows what it has read. It does not if it finds an expired entry which
   * the leader has not removed yet. The leader may have replaced it before it expired, by its own
   * clock, and the change may still be on its way here. Then the leader answers this request.
   *
   * <p>A read calls this before it begins its response, on the I/O thread or {@link #onWorker}.
   *
   * @param isExpired whether it has found such an entry
   */
  public static void requireCertain(HttpServerExchange exchange, boolean isExpired) {
    if (isUncertain(exchange, isExpired)) {
      throw new UncertainRead(gate(exchange));
    }
  }

  /** Returns whether {@link #requireCertain} would throw. */
  public static boolean isUncertain(HttpServerExchange exchange, boolean isExpired) {
    return isExpired && exchange.getAttachment(MAY_BE_STALE) == null;
  }

  private static LeaderGate gate(HttpServerExchange exchange) {
    LeaderGate gate = exchange.getAttachment(GATE);
    if (gate == null) {
      throw Forwarder.noLeader(); // this node led just now
    }
    return gate;
  }

  /** Lets the leader answer an uncertain read at once that has waited here. */
  public static void endWaitAtLeader(HttpServerExchange exchange) {
    LeaderGate gate = gate(exchange);
    exchange.setQueryString(QueryParameters.without(exchange.getQueryString(), WAIT));
    exchange.getIoThread().execute(gate.forwarding(exchange));
  }

  private Runnable forwarding(HttpServerExchange exchange) {
    HttpHandler forward = ExceptionMapper.mapped(forwarder::forward);
    return () -> Connectors.executeRootHandler(forward, exchange);
  }

  /** Returns a handler for a worker whose uncertain reads are forwarded, too. */
  public static HttpHandler onWorker(HttpHandler handler) {
    return exchange -> {
      try {
        handler.handleRequest(exchange);
      } catch (UncertainRead uncertain) {
        exchange.dispatch(exchange.getIoThread(), uncertain.gate.forwarding(exchange));
      }
    };
  }

  private static final class UncertainRead extends RuntimeException {
    private static final long serialVersionUID = 1;

    final transient LeaderGate gate;

    UncertainRead(LeaderGate gate) {
      super("only the leader knows", null, false, false);
      this.gate = gate;
    }
  }

  private void afterBarrier(HttpServerExchange exchange, HttpHandler here, boolean isWrite)
      throws Exception {
    // One barrier serves all requests that wait at this moment.
    CompletableFuture<Void> barrier = replication.readBarrier();
    if (barrier.isDone() && !barrier.isCompletedExceptionally()) {
      here.handleRequest(exchange);
    } else {
      CaughtUpRequest request = new CaughtUpRequest(exchange, here, isWrite);
      exchange.dispatch(SameThreadExecutor.INSTANCE, () -> request.await(barrier));
    }
  }

  /** A request that waits until this node has caught up. Everything runs on its I/O thread. */
  private final class CaughtUpRequest {
    private final HttpServerExchange exchange;
    private final HttpHandler here;
    private final boolean isWrite;
    private final long startNanos = System.nanoTime();

    CaughtUpRequest(HttpServerExchange exchange, HttpHandler here, boolean isWrite) {
      this.exchange = exchange;
      this.here = ExceptionMapper.mapped(here);
      this.isWrite = isWrite;
    }

    void await(CompletableFuture<Void> barrier) {
      DeferredResponses.whenDone(exchange, barrier, this::passed);
    }

    private void passed(@Nullable Throwable failure) {
      if (exchange.isComplete()) {
        return; // the client has disconnected
      }
      boolean isOusted = isWrite && !replication.isLeading(); // then the write is forwarded
      if (failure == null || isOusted) {
        Connectors.executeRootHandler(here, exchange);
      } else if (System.nanoTime() - startNanos > forwarder.patienceNanos()) {
        ExceptionMapper.respond(exchange, Forwarder.noLeader());
      } else {
        Object unused =
            exchange
                .getIoThread()
                .executeAfter(this::tryAgain, Forwarder.RETRY_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    private void tryAgain() {
      try {
        await(replication.readBarrier());
      } catch (RuntimeException | Error broken) {
        ExceptionMapper.respond(exchange, broken);
      }
    }
  }

  private void readStale(HttpServerExchange exchange, HttpHandler here) throws Exception {
    Optional<Duration> staleness = replication.staleness();
    if (staleness.isPresent()) {
      addStaleness(exchange, staleness.get());
      exchange.putAttachment(MAY_BE_STALE, true);
      here.handleRequest(exchange);
    } else {
      forwardRead(exchange);
    }
  }

  /** Answers a stale read of a server that does not replicate: it is never behind. */
  public static void addStalenessOfOnlyNode(HttpServerExchange exchange) {
    if (ReadConsistency.of(exchange.getQueryString()) == ReadConsistency.STALE) {
      addStaleness(exchange, Duration.ZERO);
    }
  }

  private static void addStaleness(HttpServerExchange exchange, Duration staleness) {
    exchange.getResponseHeaders().put(STALENESS, DurationFormat.text(staleness));
  }

  // A long poll would take longer than a forwarded request may.
  private void forwardRead(HttpServerExchange exchange) throws Exception {
    if (QueryParameters.find(exchange.getQueryString(), WAIT).isPresent()) {
      throw ProblemType.NOT_READY.withDetail(
          "this node has not the whole state yet, so nobody can wait for a change here");
    }
    forwarder.forward(exchange);
  }
}
