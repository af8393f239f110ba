package io.pensieve.server.client;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** Sends requests to a server. Failures say what a person can do about them. */
public final class PensieveClient {
  private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PROBLEM_BYTES_MAX = 16 << 10;

  private final URI url;
  private final Optional<String> token;
  private final Optional<SSLContext> tls;
  private final HttpClient http;

  /**
   * Creates a client.
   *
   * @param url the server, without a path
   * @param token what to send as {@code Authorization: Bearer}
   * @param tls whom to trust; empty for those whom Java trusts
   */
  public PensieveClient(URI url, Optional<String> token, Optional<SSLContext> tls) {
    this.url = url;
    this.token = token;
    this.tls = tls;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(CONNECT_PATIENCE);
    tls.ifPresent(builder::sslContext);
    http = builder.build();
  }

  /** Returns a text as a segment of a path, or a value in a query. */
  public static String escaped(String text) {
    // Some clients and proxies shorten dots in paths, even escaped ones; this one does not.
    return URLEncoder.encode(text, UTF_8).replace("+", "%20");
  }

  /** Returns a request to this path, for {@link #send}. */
  public HttpRequest.Builder request(String pathAndQuery) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url.toString() + pathAndQuery)).timeout(PATIENCE);
    token.ifPresent(secret -> request.setHeader("Authorization", "Bearer " + secret));
    return request;
  }

  /**
   * Sends a request and returns the response, whose body the caller reads and closes.
   *
   * @throws RefusedException if the status is 400 or above
   * @throws UnreachableException if there is no response
   */
  public HttpResponse<InputStream> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    HttpRequest asked = request.build();
    HttpResponse<InputStream> response;
    try {
      response = http.send(asked, BodyHandlers.ofInputStream());
    } catch (ConnectException | UnresolvedAddressException | HttpConnectTimeoutException down) {
      throw new UnreachableException("no server answers at " + url, down);
    } catch (HttpTimeoutException late) {
      throw new UnreachableException(
          url + " has not answered within " + asked.timeout().orElse(PATIENCE).toSeconds() + " s",
          late);
    } catch (IOException broken) {
      throw new UnreachableException(
          "the connection to " + url + " broke: " + broken.getMessage(), broken);
    }
    if (response.statusCode() >= 400) {
      throw refusal(response);
    }
    return response;
  }

  private static RefusedException refusal(HttpResponse<InputStream> response) throws IOException {
    try (InputStream body = response.body()) {
      String text = new String(body.readNBytes(PROBLEM_BYTES_MAX), UTF_8);
      JsonObject problem = JsonParser.parseString(text).getAsJsonObject();
      return new RefusedException(
          response.statusCode(),
          problem.get("code").getAsString(),
          problem.get("detail").getAsString());
    } catch (JsonParseException | IllegalStateException | NullPointerException notOurs) {
      return new RefusedException(response.statusCode(), "", "");
    }
  }

  /** Opens a connection of its own, for {@link #head} and what is sent with it. */
  public KeepAliveConnection connect() throws IOException {
    return KeepAliveConnection.to(url, tls);
  }

  /**
   * Returns the head of a request as bytes.
   *
   * @param fields further fields, each with its CR LF
   */
  public byte[] head(String method, String pathAndQuery, String fields) {
    String authorization =
        token.map(secret -> "Authorization: Bearer " + secret + "\r\n").orElse("");
    return (method
            + " "
            + pathAndQuery
            + " HTTP/1.1\r\nHost: "
            + url.getRawAuthority()
            + "\r\n"
            + authorization
            + fields
            + "\r\n")
        .getBytes(US_ASCII);
  }

  /** Sends a GET, and returns its body as text. */
  public String getText(String pathAndQuery) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = send(request(pathAndQuery));
    try (InputStream body = response.body()) {
      return new String(body.readAllBytes(), UTF_8);
    } catch (IOException broken) {
      throw new UnreachableException(
          "the connection to " + url + " broke: " + broken.getMessage(), broken);
    }
  }

  /** Sends a GET, and returns its JSON object. */
  public JsonObject getJson(String pathAndQuery) throws IOException, InterruptedException {
    return json(send(request(pathAndQuery)));
  }

  /** Sends a DELETE, and returns its JSON object. */
  public JsonObject deleteJson(String pathAndQuery) throws IOException, InterruptedException {
    return json(send(request(pathAndQuery).DELETE()));
  }

  /** Sends a POST with JSON, and returns the JSON object of the response. */
  public JsonObject postJson(String pathAndQuery, JsonObject body)
      throws IOException, InterruptedException {
    return json(
        send(
            request(pathAndQuery)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body.toString()))));
  }

  private JsonObject json(HttpResponse<InputStream> response) throws IOException {
    try (InputStream body = response.body()) {
      return JsonParser.parseString(new String(body.readAllBytes(), UTF_8)).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException notJson) {
      throw new RefusedException(
          response.statusCode(), "", "no JSON from " + url + ": is it a Pensieve?");
    } catch (IOException broken) {
      throw new UnreachableException(
          "the connection to " + url + " broke: " + broken.getMessage(), broken);
    }
  }

  /** Puts a value, and returns the response, which has the version. */
  public HttpResponse<InputStream> put(
      String pathAndQuery, BodyPublisher value, Map<String, String> headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = request(pathAndQuery).PUT(value);
    headers.forEach(request::setHeader);
    return send(request);
  }
}
