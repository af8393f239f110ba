package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.FieldWriter;
import io.pensieve.server.http.json.LazyBytes;
import io.pensieve.server.http.json.LazyJsonWriter;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.nio.ByteBuffer;

/** Sends compact JSON, and values as they are. */
public final class JsonResponses {
  private static final byte[] OK = json(json -> json.name("status").value("ok"));

  private JsonResponses() {}

  /** Sends {@code {"status":"ok"}}. */
  public static void ok(HttpServerExchange exchange) {
    send(exchange, "application/json", OK);
  }

  /** Sends an object with these fields. */
  public static void object(HttpServerExchange exchange, FieldWriter fieldWriter) {
    send(exchange, "application/json", json(fieldWriter));
  }

  /**
   * Sends an object with these fields, one of which is this value.
   *
   * @throws ProblemException if the memory budget cannot hold the value
   */
  public static void objectOf(
      HttpServerExchange exchange, StoredValue value, FieldWriter fieldWriter) {
    MemoryBudget.OF_PROCESS.retain(exchange, value);
    // A worker handles a long value: computing its JSON length reads all of it.
    if (value.size() > LargeBodySender.AT_ONCE_BYTES_MAX && exchange.isInIoThread()) {
      exchange.dispatch(ExceptionMapper.mapped(onWorker -> objectHeld(onWorker, fieldWriter)));
    } else {
      objectHeld(exchange, fieldWriter);
    }
  }

  /** Sends an object with these fields, whose values have been reserved: never rejected. */
  public static void objectHeld(HttpServerExchange exchange, FieldWriter fieldWriter) {
    LazyBytes body = LazyJsonWriter.object(fieldWriter);
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
    keptByNoCache(exchange);
    if (body.length() > MemoryBudget.SMALL_BYTES_MAX) {
      LargeBodySender.send(exchange, body);
    } else {
      exchange.getResponseSender().send(ByteBuffer.wrap(body.toBytes()));
    }
  }

  private static byte[] json(FieldWriter fieldWriter) {
    return LazyJsonWriter.object(fieldWriter).toBytes();
  }

  /** Sends this body. */
  public static void send(HttpServerExchange exchange, String contentType, byte[] body) {
    if (body.length > MemoryBudget.SMALL_BYTES_MAX) {
      MemoryBudget.OF_PROCESS.reservationFor(exchange).growTo(body.length);
    }
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
    keptByNoCache(exchange);
    send(exchange, ByteBuffer.wrap(body));
  }

  // Without this header a cache may guess a lifetime, and a cached 404 would hide a later value.
  private static void keptByNoCache(HttpServerExchange exchange) {
    if (!exchange.getResponseHeaders().contains(Headers.CACHE_CONTROL)) {
      exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, "no-store");
    }
  }

  /**
   * Sends the bytes of a value. The caller has set the content type.
   *
   * @throws ProblemException if the memory budget cannot hold the value
   */
  public static void value(HttpServerExchange exchange, StoredValue value) {
    MemoryBudget.OF_PROCESS.retain(exchange, value);
    send(exchange, value.bytes());
  }

  /** Sends these bytes. The caller has set the headers, and has reserved the memory. */
  public static void send(HttpServerExchange exchange, ByteBuffer body) {
    if (body.remaining() > MemoryBudget.SMALL_BYTES_MAX) {
      LargeBodySender.send(exchange, body);
    } else {
      exchange.getResponseSender().send(body);
    }
  }
}
