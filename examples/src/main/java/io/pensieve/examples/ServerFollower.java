package io.pensieve.examples;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.StandbyMap;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a map equal to the texts of a server, by its changes.
 *
 * <p>First it asks where the changes are now, then it copies all entries, then it applies the
 * changes from there on. A copied entry may be younger than some of those changes: the map skips
 * changes that are older than its entry. If the connection breaks it resumes; if the server has
 * forgotten the changes since, it copies all entries again.
 */
final class ServerFollower {
  private static final long UNKNOWN = -1;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  private final URI server;
  private final StandbyMap<String, String> map;
  private final CountDownLatch copied = new CountDownLatch(1);
  private long position = UNKNOWN; // everything up to this version was applied

  ServerFollower(URI server, StandbyMap<String, String> map) {
    this.server = server;
    this.map = map;
  }

  /**
   * Follows until the connection ends.
   *
   * @throws IOException if the server cannot be reached or the connection broke; call again
   */
  void follow() throws IOException, InterruptedException {
    if (position == UNKNOWN) {
      long begin = currentPosition();
      map.replaceAll(entries().iterator());
      position = begin;
      copied.countDown();
    }
    HttpResponse<InputStream> answer = watch("?since=" + position);
    try (BufferedReader lines = reader(answer)) {
      if (answer.statusCode() == 410) {
        position = UNKNOWN;
      } else {
        applyEvents(lines);
      }
    }
  }

  /** Waits until all entries were copied; returns whether they were in that time. */
  boolean awaitCopied(Duration patience) throws InterruptedException {
    return copied.await(patience.toMillis(), TimeUnit.MILLISECONDS);
  }

  private long currentPosition() throws IOException, InterruptedException {
    try (BufferedReader lines = reader(watch(""))) {
      for (String line; (line = lines.readLine()) != null; ) {
        if (line.startsWith("id: ")) {
          return Long.parseLong(line.substring(4));
        }
      }
      throw new IOException("the stream of changes ended before it said where it begins");
    }
  }

  private HttpResponse<InputStream> watch(String query) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(server.resolve("/v1/watch" + query)).build();
    return client.send(request, BodyHandlers.ofInputStream());
  }

  private static BufferedReader reader(HttpResponse<InputStream> answer) {
    return new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
  }

  // An event ends with an empty line. One without data only says how far the server is.
  private void applyEvents(BufferedReader lines) throws IOException {
    Map<String, String> event = new HashMap<>();
    for (String line; (line = lines.readLine()) != null; ) {
      if (line.isEmpty()) {
        if (event.getOrDefault("event", "").equals("history_forgotten")) {
          position = UNKNOWN;
          return;
        }
        applyEvent(event);
        event.clear();
      } else if (line.contains(": ")) {
        event.put(line.substring(0, line.indexOf(':')), line.substring(line.indexOf(' ') + 1));
      }
    }
  }

  private void applyEvent(Map<String, String> event) {
    String data = event.get("data");
    String id = event.get("id");
    if (data != null) {
      apply(event.getOrDefault("event", ""), Json.object(data));
    }
    if (id != null) {
      position = Long.parseLong(id);
    }
  }

  private void apply(String event, Map<String, @Nullable Object> data) {
    String key = String.valueOf(data.get("key"));
    long version = number(data, "version", 0);
    boolean isText = String.valueOf(data.get("content_type")).startsWith("text/");
    Object value = data.get("value"); // absent if the bytes are not UTF-8
    Change<String, String> change =
        event.equals("put") && isText && value instanceof String text
            ? new Change.Put<>(key, text, number(data, "expires_at_ms", Change.NEVER))
            : new Change.Remove<>(key);
    map.apply(version, change);
  }

  private static long number(Map<String, @Nullable Object> data, String name, long absent) {
    return data.get(name) instanceof Long number ? number : absent;
  }

  private List<LiveEntry<String, String>> entries() throws IOException, InterruptedException {
    List<LiveEntry<String, String>> entries = new ArrayList<>();
    String query = "?limit=1000";
    while (true) {
      Map<String, @Nullable Object> page = Json.object(get("/v1/keys" + query).body());
      if (page.get("keys") instanceof List<?> keys) {
        for (Object key : keys) {
          entry(String.valueOf(key)).ifPresent(entries::add);
        }
      }
      Object cursor = page.get("cursor");
      if (cursor == null) {
        return entries;
      }
      query = "?limit=1000&cursor=" + encoded(cursor.toString());
    }
  }

  // Empty if the key is gone by now, or its value is no text.
  private Optional<LiveEntry<String, String>> entry(String key)
      throws IOException, InterruptedException {
    HttpResponse<String> answer = get("/v1/kv/" + encoded(key));
    String type = answer.headers().firstValue("Content-Type").orElse("");
    if (answer.statusCode() == 404 || !type.startsWith("text/")) {
      return Optional.empty();
    }
    long version = Long.parseLong(header(answer, "ETag").replace("\"", ""));
    long expiry =
        answer
            .headers()
            .firstValue("Pensieve-TTL")
            .map(ttl -> System.currentTimeMillis() + Long.parseLong(ttl.replace("ms", "")))
            .orElse(Change.NEVER);
    return Optional.of(new LiveEntry<>(new Change.Put<>(key, answer.body(), expiry), version));
  }

  private static String header(HttpResponse<?> answer, String name) throws IOException {
    return answer
        .headers()
        .firstValue(name)
        .orElseThrow(() -> new IOException(answer + " has no " + name));
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(server.resolve(path)).timeout(PATIENCE).build();
    HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
    if (answer.statusCode() != 200 && answer.statusCode() != 404) {
      throw new IOException(answer + ": " + answer.body());
    }
    return answer;
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
