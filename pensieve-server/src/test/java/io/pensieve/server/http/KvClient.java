package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

/**
 * Speaks to the routes of single entries. A target is a key, escaped where need be, with or without
 * a query.
 */
final class KvClient {
  private final ServerUnderTest server;

  KvClient(ServerUnderTest server) {
    this.server = server;
  }

  HttpResponse<byte[]> get(String target, String... headers) throws Exception {
    return server.sendForBytes(with(request(target), headers));
  }

  HttpResponse<byte[]> put(String target, byte[] value, String... headers) throws Exception {
    return server.sendForBytes(
        with(request(target).PUT(BodyPublishers.ofByteArray(value)), headers));
  }

  HttpResponse<byte[]> delete(String target, String... headers) throws Exception {
    return server.sendForBytes(with(request(target).DELETE(), headers));
  }

  private HttpRequest.Builder request(String target) {
    return server.request("/v1/kv/" + target);
  }

  private static HttpRequest.Builder with(HttpRequest.Builder request, String... headers) {
    return headers.length == 0 ? request : request.headers(headers);
  }

  static String header(HttpResponse<?> answer, String name) {
    return answer.headers().firstValue(name).orElse("");
  }

  static void assertProblem(int status, String code, HttpResponse<byte[]> answer) {
    String body = new String(answer.body(), StandardCharsets.UTF_8);
    assertEquals("application/problem+json", header(answer, "Content-Type"), body);
    assertEquals(code, ServerUnderTest.code(body));
    assertEquals(status, answer.statusCode());
  }
}
