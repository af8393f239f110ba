package io.pensieve.server.http.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.pensieve.server.http.json.JsonObjectReader;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.json.StrictJson;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.value.HeapShares;
import io.undertow.server.HttpServerExchange;
import java.io.ByteArrayInputStream;
import java.util.Optional;
import java.util.Set;

/** The route that changes settings of a running server. */
public final class SettingsRoute {
  private static final String CAPACITY = "capacity";
  private static final String CAPACITY_BYTES = "capacity_bytes";
  private static final Set<String> FIELDS = Set.of(CAPACITY, CAPACITY_BYTES);
  private static final int BODY_BYTES_MAX = 1 << 10;
  private static final int NODES_MAX = 64;

  /** The most entries that a server may hold. */
  public static final long CAPACITY_MAX = 1 << 30;

  /** The fewest bytes that entries may take. */
  public static final long CAPACITY_BYTES_MIN = 1 << 10;

  private final Optional<CapacityControl> capacity;

  /**
   * Creates the route.
   *
   * @param capacity changes the bounds of the map; empty for one whose bounds stay
   */
  public SettingsRoute(Optional<CapacityControl> capacity) {
    this.capacity = capacity;
  }

  public void patch(HttpServerExchange exchange) throws Exception {
    QueryParameters.requireNone(exchange);
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        BODY_BYTES_MAX,
        body -> {
          Change asked = parse(body);
          // A smaller bound evicts entries, perhaps many.
          exchange.dispatch(ExceptionMapper.mapped(onWorker -> change(onWorker, asked)));
        });
  }

  private record Change(Optional<Long> entries, Optional<Long> bytes) {}

  // A mistyped name must not pass for a change.
  private static Change parse(ByteArrayInputStream body) {
    JsonElement root = StrictJson.tree(body, NODES_MAX);
    if (!(root instanceof JsonObject json)) {
      throw ProblemType.INVALID_BODY.withDetail("the body is not a JSON object");
    }
    if (json.isEmpty() || !FIELDS.containsAll(json.keySet())) {
      throw ProblemType.INVALID_BODY.withDetail(
          "the body must have " + CAPACITY + ", or " + CAPACITY_BYTES + ", or both, and no more");
    }
    return new Change(
        number(json, CAPACITY, 1, CAPACITY_MAX),
        number(
            json, CAPACITY_BYTES, CAPACITY_BYTES_MIN, HeapShares.ofProcess().capacityBytesMax()));
  }

  private static Optional<Long> number(JsonObject json, String name, long min, long max) {
    JsonElement field = json.get(name);
    if (field == null) {
      return Optional.empty();
    }
    if (!(field instanceof JsonPrimitive primitive) || !primitive.isNumber()) {
      throw JsonObjectReader.invalid(name, "is not a number");
    }
    long number = JsonObjectReader.integer(name, primitive.getAsString());
    if (number < min || number > max) {
      throw JsonObjectReader.invalid(name, "must be from " + min + " to " + max);
    }
    return Optional.of(number);
  }

  private void change(HttpServerExchange exchange, Change asked) {
    CapacityControl.Bounds bounds =
        capacity
            .orElseThrow(() -> new IllegalStateException("a map whose bounds stay"))
            .change(asked.entries(), asked.bytes());
    JsonResponses.object(
        exchange,
        json ->
            json.name(CAPACITY).value(bounds.entries()).name(CAPACITY_BYTES).value(bounds.bytes()));
  }
}
