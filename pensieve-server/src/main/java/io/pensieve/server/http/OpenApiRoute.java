package io.pensieve.server.http;

import io.pensieve.server.http.protocol.JsonResponses;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The route that returns the OpenAPI description. A test compares it with the routes. */
final class OpenApiRoute {
  private static final String FILE = "openapi.json";

  private final byte[] json;

  OpenApiRoute() {
    try (InputStream file = OpenApiRoute.class.getResourceAsStream(FILE)) {
      if (file == null) {
        throw new IllegalStateException("not packaged: " + FILE);
      }
      json = file.readAllBytes();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  void get(HttpServerExchange exchange) {
    JsonResponses.send(exchange, "application/json", json);
  }
}
