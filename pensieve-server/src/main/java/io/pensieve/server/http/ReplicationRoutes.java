package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import io.pensieve.server.http.json.JsonObjectReader;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.replication.Replication;
import io.undertow.server.HttpServerExchange;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** The routes that change the members of a cluster, and the one by which nodes find each other. */
final class ReplicationRoutes {
  private static final Map<String, JsonToken> ID = Map.of("id", JsonToken.STRING);
  private static final Map<String, JsonToken> URL = Map.of("url", JsonToken.STRING);
  private static final Map<String, JsonToken> ID_AND_URL =
      Map.of("id", JsonToken.STRING, "url", JsonToken.STRING);
  private static final int BODY_BYTES_MAX = 4 << 10;

  private final Optional<Replication> replication;

  ReplicationRoutes(Optional<Replication> replication) {
    this.replication = replication;
  }

  private Replication replication() {
    return replication.orElseThrow(
        () -> ProblemType.NOT_REPLICATING.withDetail("this server does not replicate"));
  }

  /** Responds with what this node tells its peers of itself. */
  void card(HttpServerExchange exchange) {
    QueryParameters.requireNone(exchange);
    byte[] card = replication().card().toJson().getBytes(StandardCharsets.UTF_8);
    JsonResponses.send(exchange, "application/json", card);
  }

  void transfer(HttpServerExchange exchange) throws Exception {
    change(
        exchange,
        ID,
        fields ->
            replication()
                .transferLeadership(Optional.of(fields.string("id")).filter(id -> !id.isEmpty())));
  }

  void add(HttpServerExchange exchange) throws Exception {
    change(exchange, URL, fields -> replication().addMember(url(fields)));
  }

  void remove(HttpServerExchange exchange) throws Exception {
    change(exchange, ID, fields -> replication().removeMember(fields.string("id")));
  }

  void replace(HttpServerExchange exchange) throws Exception {
    change(
        exchange,
        ID_AND_URL,
        fields -> replication().replaceMember(fields.string("id"), url(fields)));
  }

  private static URI url(JsonObjectReader fields) {
    try {
      URI url = URI.create(fields.string("url"));
      boolean isWeb = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
      if (isWeb && url.getHost() != null && url.getRawPath().isEmpty()) {
        return url;
      }
    } catch (IllegalArgumentException refusedBelow) {
      // The message is the same for a text that is not a URL and for a URL of another form.
    }
    throw ProblemType.INVALID_BODY.withDetail(
        "\"url\" must be a URL like http://host:7878, without a path");
  }

  private void change(
      HttpServerExchange exchange,
      Map<String, JsonToken> fields,
      Function<JsonObjectReader, CompletableFuture<Void>> change)
      throws Exception {
    QueryParameters.requireNone(exchange);
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        BODY_BYTES_MAX,
        body -> {
          CompletableFuture<Void> done =
              change
                  .apply(JsonObjectReader.read(body, fields))
                  .exceptionally(
                      refused -> {
                        throw refusal(refused);
                      });
          DeferredResponses.sendWhenDurable(exchange, done, JsonResponses::ok);
        });
  }

  private static ProblemException refusal(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? refusal(failure.getCause())
            : failure;
    return cause instanceof ProblemException known
        ? known
        : ProblemType.CLUSTER_CHANGE_REFUSED.withDetail(
            String.valueOf(cause.getMessage()).lines().findFirst().orElse(""));
  }
}
