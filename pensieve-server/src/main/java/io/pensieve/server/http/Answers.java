package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Sends compact JSON. */
final class Answers {
  private static final byte[] OK = json(json -> json.name("status").value("ok"));

  private Answers() {}

  /** The fields of a JSON object. */
  interface Fields {
    void write(JsonWriter json) throws IOException;
  }

  /** {@code {"status":"ok"}}. */
  static void ok(HttpServerExchange exchange) {
    send(exchange, "application/json", OK);
  }

  /** An object with these fields. */
  static void object(HttpServerExchange exchange, Fields fields) {
    send(exchange, "application/json", json(fields));
  }

  /** An object with these fields, one of which is this value. */
  static void objectOf(HttpServerExchange exchange, StoredValue value, Fields fields) {
    byte[] body = HeapRoom.OF_PROCESS.makeJsonOf(value, () -> json(fields));
    send(exchange, "application/json", body);
  }

  /** An object with these fields, whose room on the heap has been claimed: never refused. */
  static void objectClaimed(HttpServerExchange exchange, Fields fields) {
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
    keptByNoCache(exchange);
    send(exchange, ByteBuffer.wrap(json(fields)));
  }

  /** A problem as RFC 9457 has it, with the status that belongs to it. */
  static void problem(HttpServerExchange exchange, Refusal refusal, String title) {
    Problem problem = refusal.problem();
    exchange.setStatusCode(problem.status());
    exchange.getResponseHeaders().remove(Headers.CACHE_CONTROL); // that of a value that is refused
    byte[] body =
        json(
            json -> {
              json.name("type").value("about:blank");
              json.name("title").value(title);
              json.name("status").value(problem.status());
              json.name("code").value(problem.code());
              json.name("detail").value(refusal.detail());
              refusal.members().write(json);
            });
    send(exchange, "application/problem+json", body);
  }

  private static byte[] json(Fields fields) {
    return text(fields).getBytes(StandardCharsets.UTF_8);
  }

  /** An object with these fields, as text in one line. */
  static String text(Fields fields) {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.setHtmlSafe(false);
    try {
      json.beginObject();
      fields.write(json);
      json.endObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return text.toString();
  }

  /** This body. */
  static void send(HttpServerExchange exchange, String contentType, byte[] body) {
    if (body.length > HeapRoom.SMALL_BYTES_MAX) {
      HeapRoom.OF_PROCESS.claimFor(exchange).atLeast(body.length);
    }
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
    keptByNoCache(exchange);
    send(exchange, ByteBuffer.wrap(body));
  }

  // Without this a cache may guess how long an answer holds; a 404 of now would hide a later value.
  private static void keptByNoCache(HttpServerExchange exchange) {
    if (!exchange.getResponseHeaders().contains(Headers.CACHE_CONTROL)) {
      exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, "no-store");
    }
  }

  /** This body, under the type that was set. */
  static void send(HttpServerExchange exchange, ByteBuffer body) {
    if (body.remaining() > LongAnswer.PIECE_BYTES) {
      LongAnswer.send(exchange, body);
    } else {
      exchange.getResponseSender().send(body);
    }
  }
}
