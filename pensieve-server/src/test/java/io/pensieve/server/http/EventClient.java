package io.pensieve.server.http;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/** Reads an event stream as a browser does, and remembers how far it has come. */
final class EventClient implements AutoCloseable {
  private final InputStream body;
  private final BufferedReader lines;
  private String lastId = "";

  /** An event; the data are empty if it has none. */
  record Event(String name, String id, String data) {
    JsonObject json() {
      return JsonParser.parseString(data).getAsJsonObject();
    }

    String key() {
      return json().get("key").getAsString();
    }
  }

  private EventClient(InputStream body) {
    this.body = body;
    this.lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
  }

  /** Watches; returns when the server has begun to tell. */
  static EventClient watch(ServerUnderTest server, String query, String... headers)
      throws Exception {
    HttpRequest.Builder request = server.request("/v1/watch" + query);
    HttpResponse<InputStream> answer =
        HttpClient.newHttpClient()
            .send(
                (headers.length == 0 ? request : request.headers(headers)).build(),
                BodyHandlers.ofInputStream());
    if (answer.statusCode() != 200) {
      throw new AssertionError(new String(answer.body().readAllBytes(), StandardCharsets.UTF_8));
    }
    EventClient client = new EventClient(answer.body());
    client.line();
    client.lastId = client.line().substring("id: ".length());
    client.line();
    return client;
  }

  String lastId() {
    return lastId;
  }

  /** The next event that has data; those without only move the id. */
  Event next() throws IOException {
    while (true) {
      String name = "";
      String data = "";
      for (String line = line(); !line.isEmpty(); line = line()) {
        if (line.startsWith("event: ")) {
          name = line.substring("event: ".length());
        } else if (line.startsWith("data: ")) {
          data = line.substring("data: ".length());
        } else if (line.startsWith("id: ")) {
          lastId = line.substring("id: ".length());
        }
      }
      if (!data.isEmpty()) {
        return new Event(name, lastId, data);
      }
    }
  }

  private String line() throws IOException {
    String line = lines.readLine();
    if (line == null) {
      throw new EOFException("the stream has ended");
    }
    return line;
  }

  /** Whether the stream ends, and nothing but marks comes before that. */
  boolean ends() {
    try {
      Event unexpected = next();
      throw new AssertionError("not the end: " + unexpected);
    } catch (IOException end) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    body.close();
  }
}
