package io.pensieve.server.cluster;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.cluster.HttpConnection.Response;
import io.pensieve.server.linearizability.Answer;
import io.pensieve.server.linearizability.Request;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Asks nodes over HTTP, and says of each answer what it means. An answer is empty if the request
 * was refused: then it has changed nothing. Not for several threads.
 */
final class KeyClient implements AutoCloseable {
  private static final int SILENCE_MILLIS_MAX = 3_000;
  private static final Answer UNKNOWN = new Answer.Unknown();
  private static final Set<String> OPEN_OUTCOMES = Set.of("outcome_unknown", "log_failed");

  private final Map<Integer, HttpConnection> connections = new HashMap<>();

  /** A request of an atomic batch. */
  record Keyed(String key, Request request) {}

  /** Asks a node, with additional header fields. */
  Optional<Answer> ask(Node node, String key, Request request, String fields) throws IOException {
    Optional<Response> response;
    if (request instanceof Request.Get) {
      response = send(node, "GET", "/v1/kv/" + key, fields, "");
    } else if (request instanceof Request.Put put) {
      String ttl = put.ttlNanos() == 0 ? "" : "?ttl=" + put.ttlNanos() / 1_000_000 + "ms";
      String all = fields + condition(put.condition());
      response = send(node, "PUT", "/v1/kv/" + key + ttl, all, put.value());
    } else if (request instanceof Request.Delete delete) {
      response = send(node, "DELETE", "/v1/kv/" + key, fields + condition(delete.condition()), "");
    } else if (request instanceof Request.Increment increment) {
      String json = "Content-Type: application/json\r\n";
      String body = "{\"by\":" + increment.by() + "}";
      response = send(node, "POST", "/v1/incr/" + key, fields + json, body);
    } else {
      throw new IllegalArgumentException("only in a batch: " + request);
    }
    return response.isEmpty() ? Optional.of(UNKNOWN) : answer(request, response.orElseThrow());
  }

  private static String condition(long version) {
    if (version == Request.ANY_VERSION) {
      return "";
    }
    return version == Request.ABSENT ? "If-None-Match: *\r\n" : "If-Match: \"" + version + "\"\r\n";
  }

  private static Optional<Answer> answer(Request request, Response response) {
    String tag = response.field("etag").replace("\"", "");
    long version = tag.isEmpty() ? 0 : Long.parseLong(tag);
    boolean isSum = request instanceof Request.Increment;
    return switch (response.status()) {
      case 200 -> Optional.of(isSum ? sum(response) : new Answer.Found(response.body(), version));
      case 201 -> Optional.of(new Answer.Written(version, true));
      case 204 ->
          Optional.of(version == 0 ? new Answer.Removed() : new Answer.Written(version, false));
      case 412 -> Optional.of(new Answer.ConditionFailed(version));
      default -> problem(response);
    };
  }

  private static Answer sum(Response response) {
    JsonObject sum = JsonParser.parseString(response.body()).getAsJsonObject();
    return new Answer.Sum(sum.get("value").getAsLong(), sum.get("version").getAsLong());
  }

  private static Optional<Answer> problem(Response response) {
    String code =
        JsonParser.parseString(response.body()).getAsJsonObject().get("code").getAsString();
    if (response.status() == 503) {
      return OPEN_OUTCOMES.contains(code) ? Optional.of(UNKNOWN) : Optional.empty();
    }
    return switch (code) {
      case "no_such_key" -> Optional.of(new Answer.Missing());
      case "not_an_integer" -> Optional.of(new Answer.NotANumber());
      default -> throw new AssertionError(response);
    };
  }

  /** Asks for all of it at once, or for nothing. Answers are those of the requests, in order. */
  List<Optional<Answer>> askForAll(Node node, List<Keyed> batch, String fields) throws IOException {
    JsonArray operations = new JsonArray();
    batch.forEach(each -> operations.add(operation(each)));
    JsonObject body = new JsonObject();
    body.addProperty("atomic", true);
    body.add("ops", operations);
    String json = fields + "Content-Type: application/json\r\n";
    Optional<Response> response = send(node, "POST", "/v1/batch", json, body.toString());
    if (response.isEmpty()) {
      return Collections.nCopies(batch.size(), Optional.of(UNKNOWN));
    }
    return answers(batch, response.orElseThrow());
  }

  private static JsonObject operation(Keyed keyed) {
    JsonObject operation = new JsonObject();
    operation.addProperty("key", keyed.key());
    if (keyed.request() instanceof Request.Get) {
      operation.addProperty("op", "get");
    } else if (keyed.request() instanceof Request.Put put) {
      operation.addProperty("op", "put");
      operation.addProperty("value", put.value());
      if (put.ttlNanos() != 0) {
        operation.addProperty("ttl", put.ttlNanos() / 1_000_000 + "ms");
      }
    } else if (keyed.request() instanceof Request.Delete) {
      operation.addProperty("op", "delete");
    } else if (keyed.request() instanceof Request.Increment increment) {
      operation.addProperty("op", "incr");
      operation.addProperty("by", increment.by());
    } else if (keyed.request() instanceof Request.Check check) {
      operation.addProperty("op", "check");
      operation.addProperty("version", check.version());
    }
    return operation;
  }

  private static List<Optional<Answer>> answers(List<Keyed> batch, Response response) {
    List<Optional<Answer>> answers =
        new ArrayList<>(Collections.nCopies(batch.size(), Optional.empty()));
    JsonObject body = JsonParser.parseString(response.body()).getAsJsonObject();
    if (response.status() == 200) {
      JsonArray results = body.getAsJsonArray("results");
      for (int i = 0; i < batch.size(); i++) {
        answers.set(
            i, Optional.of(result(batch.get(i).request(), results.get(i).getAsJsonObject())));
      }
    } else if (response.status() == 412) {
      answers.set(
          body.get("op").getAsInt(),
          Optional.of(new Answer.ConditionFailed(body.get("version").getAsLong())));
    } else if (response.status() == 409) {
      answers.set(body.get("op").getAsInt(), Optional.of(new Answer.NotANumber()));
    } else {
      Collections.fill(answers, problem(response));
    }
    return answers;
  }

  private static Answer result(Request request, JsonObject result) {
    int status = result.get("status").getAsInt();
    long version = result.has("version") ? result.get("version").getAsLong() : 0;
    if (request instanceof Request.Get) {
      return status == 200
          ? new Answer.Found(result.get("value").getAsString(), version)
          : new Answer.Missing();
    }
    if (request instanceof Request.Put) {
      return new Answer.Written(version, status == 201);
    }
    if (request instanceof Request.Increment) {
      return new Answer.Sum(result.get("value").getAsLong(), version);
    }
    return request instanceof Request.Delete ? new Answer.Removed() : new Answer.Holds();
  }

  /**
   * The response; empty if none came, so that the request may have been done.
   *
   * @throws IOException if the request was not sent
   */
  Optional<Response> send(Node node, String method, String target, String fields, String body)
      throws IOException {
    HttpConnection connection = connections.get(node.id());
    if (connection == null) {
      connection = new HttpConnection(node.address(), SILENCE_MILLIS_MAX);
      connections.put(node.id(), connection);
    }
    try {
      Response response = connection.send(method, target, fields, body);
      if (response.field("connection").equals("close")) {
        close(node);
      }
      return Optional.of(response);
    } catch (IOException cut) {
      close(node);
      return Optional.empty();
    }
  }

  private void close(Node node) throws IOException {
    HttpConnection connection = connections.remove(node.id());
    if (connection != null) {
      connection.close();
    }
  }

  @Override
  public void close() throws IOException {
    for (HttpConnection each : connections.values()) {
      each.close();
    }
  }
}
