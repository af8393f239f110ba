package io.pensieve.server.http.changes;

import io.pensieve.Pensieve;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.LogException;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.transport.Permits;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/** The route that streams changes to clients as server-sent events. */
public final class WatchRoute {
  private static final HttpString LAST_EVENT_ID = new HttpString("Last-Event-ID");
  private static final HttpString ACCEL_BUFFERING = new HttpString("X-Accel-Buffering");
  private static final String PREFIX = "prefix";
  private static final String SINCE = "since";
  private static final Set<String> PARAMETERS = Set.of(PREFIX, SINCE);

  private static final int READS_A_TURN = 16;

  private static final Duration HAND_OVER = Duration.ofMillis(10);
  private static final String FORGOTTEN =
      "the changes since then are not kept any more; read the keys again and watch from there";

  private final Pensieve<String, StoredValue> map;
  private final ChangeHub hub;
  private final WaitLimits limits;
  private final Permits permits;
  // For watchers that read changes which the hub has already delivered.
  private final AdmissionQueue admissionQueue;
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  /**
   * Creates the route.
   *
   * @param readersMax how many changes of maximum length may be read at a time
   */
  public WatchRoute(
      Pensieve<String, StoredValue> map,
      ChangeHub hub,
      WaitLimits limits,
      Permits permits,
      long readersMax) {
    this.map = map;
    this.hub = hub;
    this.limits = limits;
    this.permits = permits;
    this.admissionQueue = new AdmissionQueue(readersMax);
  }

  public void watch(HttpServerExchange exchange) {
    QueryParameters query = QueryParameters.of(exchange, PARAMETERS);
    String prefix = query.text(PREFIX).orElse("");
    Optional<Long> since = since(exchange, query);
    permits.acquire(exchange);
    // Finding the position in the history may read files.
    exchange.dispatch(
        ExceptionMapper.mapped(
            onWorker -> {
              ChangeStream<String, StoredValue> history = open(since);
              onWorker.dispatch(
                  onWorker.getIoThread(), () -> beginOrClose(onWorker, prefix, history));
            }));
  }

  // A browser that reconnects repeats the query, and adds the last event id it has read.
  private static Optional<Long> since(HttpServerExchange exchange, QueryParameters query) {
    Optional<Long> queried = query.number(SINCE, 0, Long.MAX_VALUE);
    String resumed = exchange.getRequestHeaders().getFirst(LAST_EVENT_ID);
    return resumed == null || resumed.isEmpty()
        ? queried
        : Optional.of(QueryParameters.number("Last-Event-ID", resumed, 0, Long.MAX_VALUE));
  }

  private ChangeStream<String, StoredValue> open(Optional<Long> since) {
    if (since.isEmpty()) {
      return map.changes();
    }
    try {
      return map.changes(since.get());
    } catch (LogException.HistoryTruncated compactedOrOfAnotherLife) {
      throw ProblemType.HISTORY_FORGOTTEN.withDetail(FORGOTTEN);
    }
  }

  private void beginOrClose(
      HttpServerExchange exchange, String prefix, ChangeStream<String, StoredValue> history) {
    try {
      begin(exchange, prefix, history);
    } catch (RuntimeException | Error clientGone) {
      closeSoon(exchange.getConnection().getWorker(), history::close);
      ExceptionMapper.respond(exchange, clientGone);
    }
  }

  // Closing waits for a concurrent reader and closes a file, so an I/O thread must not do it.
  private static void closeSoon(Executor worker, Runnable close) {
    try {
      worker.execute(close);
    } catch (RejectedExecutionException stopping) {
      close.run();
    }
  }

  private void begin(
      HttpServerExchange exchange, String prefix, ChangeStream<String, StoredValue> history) {
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/event-stream");
    exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, "no-cache");
    // Otherwise a proxy would buffer events.
    exchange.getResponseHeaders().put(ACCEL_BUFFERING, "no");
    if (exchange.getRequestMethod().equals(Methods.HEAD)) {
      closeSoon(exchange.getConnection().getWorker(), history::close);
      exchange.endExchange();
      return;
    }
    Watcher watcher = new Watcher(exchange, prefix, history);
    watchers.add(watcher);
    watcher.begin();
    if (draining) {
      watcher.end();
    }
  }

  /** Returns how many clients watch. */
  public int watchers() {
    return permits.acquired();
  }

  /** Ends the streams of all watchers, now and from now on. Clients resume elsewhere, or later. */
  public void drain() {
    draining = true;
    watchers.forEach(Watcher::end);
  }

  /**
   * One client. At first a worker reads its changes from a backlog of its own, as fast as the
   * client reads them. Once it has caught up with the hub, the hub delivers them.
   */
  private final class Watcher implements ChangeHub.Subscriber {
    // Before its turn ends, a watcher queues or drops every change that it has read. So changes are
    // held only by watchers in their turn, and by streams, which count them. While the client is
    // slow, the watcher reads nothing.
    private final String prefix;
    private final ChangeBacklog backlog;
    private final EventStream out;
    private final Executor worker;
    private final XnioIoThread ioThread;

    // The thread that delivers a change writes this after it queues the change. So it may be behind
    // the stream's last id, but never ahead of the delivered changes.
    private volatile long passed;

    Watcher(HttpServerExchange exchange, String prefix, ChangeStream<String, StoredValue> history) {
      this.prefix = prefix;
      this.backlog = new ChangeBacklog(history, map::changes);
      this.passed = history.sequence();
      this.worker = exchange.getConnection().getWorker();
      this.ioThread = exchange.getIoThread();
      this.out = new EventStream(exchange, limits.queueBytesMax(), this::disconnected);
    }

    void begin() {
      out.mark(passed);
      out.markEvery(limits.pingPeriod().toMillis(), () -> passed);
      readInTurn();
    }

    private void readInTurn() {
      admissionQueue.run(worker, this::catchUp);
    }

    private void catchUp() {
      try {
        if (!watchers.contains(this)) {
          backlog.close();
        } else if (!deliveredAll()) {
          readWhenTaken();
        } else if (!joined()) {
          // The hub's changes are on their way into the backlog, too.
          XnioExecutor.Key unused =
              ioThread.executeAfter(this::readInTurn, HAND_OVER.toMillis(), TimeUnit.MILLISECONDS);
        }
      } catch (ProblemException noRoom) {
        backlog.close();
        end();
      } catch (RuntimeException broken) {
        lost(broken);
      } catch (Error broken) {
        ExceptionMapper.logUnexpected(broken);
        abandoned();
      } catch (InterruptedException stopping) {
        Thread.currentThread().interrupt();
        end();
      }
    }

    /**
     * Delivers changes until none are left, the client must read first, or the turn ends. Returns
     * whether none are left.
     *
     * <p>One read per turn is not enough. With many watchers, new changes would arrive before each
     * turn, and no watcher would ever catch up.
     */
    private boolean deliveredAll() throws InterruptedException {
      for (int reads = 0; reads < READS_A_TURN && out.isWritable(); reads++) {
        if (!deliverNext()) {
          return true;
        }
      }
      return false;
    }

    /** Delivers the next changes. Returns whether there were any. */
    private boolean deliverNext() throws InterruptedException {
      List<Sequenced<String, StoredValue>> changes = backlog.next();
      for (Sequenced<String, StoredValue> change : changes) {
        deliver(new ChangeEvent(change));
      }
      passed(backlog.sequence());
      return !changes.isEmpty();
    }

    private void deliver(ChangeEvent change) {
      if (change.key().startsWith(prefix)) {
        out.push(change.bytes(), change.sequence());
      }
      passed(change.sequence());
    }

    private void readWhenTaken() {
      if (!out.isWritable()) {
        backlog.pause();
      }
      if (out.isWritableOr(this::readInTurn)) {
        readInTurn();
      }
    }

    private boolean joined() {
      if (!hub.subscribe(this, passed)) {
        return false;
      }
      backlog.close();
      if (!watchers.contains(this)) {
        hub.unsubscribe(this);
      }
      return true;
    }

    @Override
    public void changed(ChangeEvent change) {
      // The hub may have read these changes before this watcher joined, and deliver them after.
      if (change.sequence() > passed && change.key().startsWith(prefix)) {
        out.offer(change.bytes(), change.sequence());
      }
    }

    @Override
    public void passed(long sequence) {
      passed = Math.max(passed, sequence);
    }

    @Override
    public void lost(RuntimeException why) {
      closeSoon(worker, backlog::close);
      if (why instanceof LogException.HistoryTruncated) {
        out.end(ChangeEvent.end(ProblemType.HISTORY_FORGOTTEN, FORGOTTEN));
      } else {
        out.end(ChangeEvent.end(ProblemType.LOG_FAILED, "the changes cannot be read any more"));
      }
    }

    @Override
    public void abandoned() {
      out.abort();
    }

    void end() {
      out.endWithMark(passed);
    }

    private void disconnected() {
      watchers.remove(this);
      hub.unsubscribe(this);
      closeSoon(worker, backlog::close);
    }
  }
}
