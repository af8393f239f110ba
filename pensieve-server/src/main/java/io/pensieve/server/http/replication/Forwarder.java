package io.pensieve.server.http.replication;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.RequestBody;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Forwards requests to the leader of the cluster, and its responses to the clients.
 *
 * <p>Reads the whole body first. That takes no more memory than serving the request here, keeps
 * every check of this node's, and lets the request be sent again: to another leader, if the first
 * one has certainly not executed it.
 */
public final class Forwarder {
  /** In a forwarded request: the id of the node that forwards it. Never forwarded again. */
  static final HttpString FORWARDED = new HttpString("Pensieve-Forwarded-By");

  static final long RETRY_MILLIS = 50;
  private static final byte[] NO_BODY = {};

  // What concerns one connection only. The leader's Host is its own, so the Origin of a page would
  // not match it; this node has checked it.
  private static final Set<HttpString> NOT_FORWARDED =
      Set.of(
          Headers.CONNECTION,
          new HttpString("Keep-Alive"),
          Headers.TE,
          Headers.TRAILER,
          Headers.TRANSFER_ENCODING,
          Headers.UPGRADE,
          new HttpString("Proxy-Connection"),
          Headers.EXPECT,
          Headers.HOST,
          Headers.CONTENT_LENGTH,
          Headers.ORIGIN);
  private static final Set<HttpString> NOT_ANSWERED =
      Set.of(
          Headers.CONNECTION,
          new HttpString("Keep-Alive"),
          Headers.TRANSFER_ENCODING,
          Headers.DATE,
          ExceptionMapper.NOT_EXECUTED);

  private final Replication replication;
  private final String nodeId;
  private final int bodyBytesMax;
  private final long patienceNanos;
  private final LeaderConnections connections;
  private final LongAdder forwarded = new LongAdder();
  private final LongAdder resent = new LongAdder();
  private final LongAdder unknown = new LongAdder();

  /**
   * Creates a forwarder.
   *
   * @param nodeId the id of this node
   * @param bodyBytesMax the longest body that any route takes
   * @param patience how long a request waits for a leader that takes it
   */
  public Forwarder(
      Replication replication,
      String nodeId,
      int bodyBytesMax,
      Duration patience,
      LeaderConnections connections) {
    this.replication = replication;
    this.nodeId = nodeId;
    this.bodyBytesMax = bodyBytesMax;
    this.patienceNanos = patience.toNanos();
    this.connections = connections;
  }

  /** Returns the problem of a request for which there is no leader. */
  static ProblemException noLeader() {
    return ProblemType.NO_LEADER.withDetail(
        "the cluster has no leader that this node can reach; nothing was changed");
  }

  /** Returns how long a request waits for a leader. */
  long patienceNanos() {
    return patienceNanos;
  }

  /** Returns how many requests were forwarded. */
  public long forwarded() {
    return forwarded.sum();
  }

  /** Returns how many times a forwarded request was sent again. */
  public long resent() {
    return resent.sum();
  }

  /** Returns how many forwarded requests have an unknown outcome. */
  public long unknownOutcomes() {
    return unknown.sum();
  }

  /**
   * Forwards a request, now or later.
   *
   * @throws ProblemException if another node has forwarded it already: then the nodes disagree on
   *     who leads, and the other one knows what to do
   */
  void forward(HttpServerExchange exchange) throws Exception {
    if (exchange.getRequestHeaders().contains(FORWARDED)) {
      throw noLeader();
    }
    forwarded.increment();
    HttpString method = exchange.getRequestMethod();
    if (method.equals(Methods.PUT) || method.equals(Methods.POST)) {
      RequestBody.read(exchange, bodyBytesMax, body -> begin(exchange, body.readAllBytes()));
    } else {
      begin(exchange, NO_BODY);
    }
  }

  private void begin(HttpServerExchange exchange, byte[] body) {
    Attempts attempts = new Attempts(exchange, body);
    exchange.dispatch(SameThreadExecutor.INSTANCE, attempts::attempt);
  }

  /** One request, on its I/O thread, until it has a response. */
  private final class Attempts implements LeaderConnection.Receiver {
    private final HttpServerExchange exchange;
    private final byte[] body;
    private final boolean isRead;
    private final boolean isRepeatable;
    private final long startNanos = System.nanoTime();
    private boolean mayBeExecuted; // by an attempt before

    Attempts(HttpServerExchange exchange, byte[] body) {
      this.exchange = exchange;
      this.body = body;
      HttpString method = exchange.getRequestMethod();
      this.isRead = method.equals(Methods.GET) || method.equals(Methods.HEAD);
      this.isRepeatable =
          isRead || exchange.getRequestHeaders().contains(Replication.IDEMPOTENCY_KEY);
    }

    void attempt() {
      if (exchange.isComplete()) {
        return; // the client has disconnected
      }
      try {
        Optional<URI> leader = replication.leaderUrl();
        if (leader.isEmpty()) {
          attemptLater();
        } else {
          connections.send(exchange, leader.get(), request(leader.get()), this);
        }
      } catch (RuntimeException | Error broken) {
        ExceptionMapper.respond(exchange, broken);
      }
    }

    private void attemptLater() {
      if (System.nanoTime() - startNanos > patienceNanos) {
        ExceptionMapper.respond(exchange, mayBeExecuted ? unknownOutcome() : noLeader());
        return;
      }
      Object unused =
          exchange.getIoThread().executeAfter(this::attempt, RETRY_MILLIS, TimeUnit.MILLISECONDS);
    }

    private ByteBuffer[] request(URI leader) {
      ByteBuffer head = ByteBuffer.wrap(head(leader).getBytes(ISO_8859_1));
      return body.length == 0
          ? new ByteBuffer[] {head}
          : new ByteBuffer[] {head, ByteBuffer.wrap(body)};
    }

    private String head(URI leader) {
      StringBuilder head = new StringBuilder(256);
      head.append(exchange.getRequestMethod()).append(' ').append(RawPath.of(exchange));
      if (!exchange.getQueryString().isEmpty()) {
        head.append('?').append(exchange.getQueryString());
      }
      head.append(" HTTP/1.1\r\nHost: ").append(leader.getRawAuthority());
      head.append("\r\n").append(FORWARDED).append(": ").append(nodeId).append("\r\n");
      if (body.length > 0 || !isRead) {
        head.append("Content-Length: ").append(body.length).append("\r\n");
      }
      appendHeaders(head);
      return head.append("\r\n").toString();
    }

    private void appendHeaders(StringBuilder head) {
      HeaderMap headers = exchange.getRequestHeaders();
      Set<String> named = connectionHeaders(headers);
      for (HeaderValues values : headers) {
        HttpString name = values.getHeaderName();
        boolean isNamed =
            !named.isEmpty() && named.contains(name.toString().toLowerCase(Locale.ROOT));
        if (!isNamed && !NOT_FORWARDED.contains(name)) {
          for (String value : values) {
            head.append(name).append(": ").append(value).append("\r\n");
          }
        }
      }
    }

    @Override
    public void received(LeaderResponse response) {
      if (response.headers().contains(ExceptionMapper.NOT_EXECUTED)) {
        resent.increment();
        attemptLater();
      } else if (mayBeExecuted && !hasChanged(response)) {
        ExceptionMapper.respond(exchange, unknownOutcome());
      } else if (!exchange.isComplete()) {
        Connectors.executeRootHandler(
            ExceptionMapper.mapped(answering -> answer(answering, response)), exchange);
      }
    }

    // Only what has changed something is remembered by its id, and so never executed again. If this
    // one has not, the attempt before may lie in the network, and be executed yet. The success of a
    // removal without a condition does not say whether there was an entry.
    private boolean hasChanged(LeaderResponse response) {
      return response.status() / 100 == StatusCodes.OK / 100
          && (!exchange.getRequestMethod().equals(Methods.DELETE)
              || exchange.getRequestHeaders().contains(Headers.IF_MATCH));
    }

    @Override
    public void failed(Throwable cause, boolean mayBeExecuted) {
      this.mayBeExecuted |= mayBeExecuted && !isRead;
      if (isRead && cause instanceof ProblemException noMemory) {
        ExceptionMapper.respond(exchange, noMemory);
      } else if (!mayBeExecuted || isRepeatable) {
        resent.increment();
        attemptLater();
      } else {
        ExceptionMapper.respond(exchange, unknownOutcome());
      }
    }
  }

  private ProblemException unknownOutcome() {
    unknown.increment();
    return ProblemType.OUTCOME_UNKNOWN.withDetail(
        "the leader did not respond in time; the write may or may not take effect");
  }

  // RFC 9110, 7.6.1: what Connection names concerns this connection only.
  private static Set<String> connectionHeaders(HeaderMap headers) {
    HeaderValues values = headers.get(Headers.CONNECTION);
    if (values == null) {
      return Set.of();
    }
    Set<String> named = new HashSet<>();
    for (String value : values) {
      for (String name : value.split(",", -1)) {
        named.add(name.strip().toLowerCase(Locale.ROOT));
      }
    }
    return named;
  }

  private static void answer(HttpServerExchange exchange, LeaderResponse response) {
    exchange.setStatusCode(response.status());
    HeaderMap headers = exchange.getResponseHeaders();
    for (HeaderValues values : response.headers()) {
      if (!NOT_ANSWERED.contains(values.getHeaderName())) {
        headers.remove(values.getHeaderName());
        headers.addAll(values.getHeaderName(), values);
      }
    }
    if (response.body().length == 0) {
      exchange.endExchange();
    } else {
      JsonResponses.send(exchange, ByteBuffer.wrap(response.body()));
    }
  }
}
