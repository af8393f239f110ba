package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StrictJsonTest {
  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    server.map.put("k", "before");
  }

  @AfterEach
  void nothingThatWasRefusedChangedAnything() {
    assertEquals(Map.of("k", "before"), Map.copyOf(server.map));
    server.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{\"key\":\"k\",\"val\":\"v\"",
        "{\"key\":\"k\",\"val\":\"v\"}}",
        "{\"key\":\"k\",\"val\":\"v\"} {}",
        "{\"key\":\"k\",\"val\":\"v\"},",
        "{\"key\":\"k\",\"val\":\"v\",}",
        "{\"key\":\"k\",,\"val\":\"v\"}",
        "{'key':'k','val':'v'}",
        "{key:\"k\",val:\"v\"}",
        "{\"key\"=\"k\",\"val\":\"v\"}",
        "{\"key\":\"k\";\"val\":\"v\"}",
        "{\"key\":k,\"val\":\"v\"}",
        "{\"key\":\"k\",\"val\":NaN}",
        "{\"key\":\"k\",\"val\":TRUE}",
        "{\"key\":\"k\",\"val\":01}",
        "{\"key\":\"k\",\"val\":\"line\nbreak\"}",
        "{\"key\":\"k\",\"val\":\"v\",\"unknown\":\"line\nbreak\"}",
        "{\"key\":\"k\",\"val\":\"v\",\"unknown\":[{\"line\nbreak\":1}]}",
        "{\"key\":5,\"val\":[\"\u0001\"]}",
        "[\"\u0001\"]",
        "{\"key\":\"k\",\"val\":\"\\x\"}",
        "{\"key\":\"k\",\"val\":\"\\u12\"}",
        "{\"key\":\"k\",\"val\":\"v\"} // comment",
        "/* comment */{\"key\":\"k\",\"val\":\"v\"}",
        ")]}'\n{\"key\":\"k\",\"val\":\"v\"}",
        "key=k&val=v",
        "{\"key\":5,\"val\":\"v\"",
      })
  void whatIsNotJsonIsMalformed(String body) throws Exception {
    assertProblem(400, "malformed_json", server.post("/put", body));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "[]",
        "\"k\"",
        "5",
        "{}",
        "{\"key\":\"k\"}",
        "{\"val\":\"v\"}",
        "{\"Key\":\"k\",\"val\":\"v\"}",
        "{\"key\":null,\"val\":\"v\"}",
        "{\"key\":\"k\",\"val\":null}",
        "{\"key\":5,\"val\":\"v\"}",
        "{\"key\":\"k\",\"val\":5}",
        "{\"key\":\"k\",\"val\":true}",
        "{\"key\":\"k\",\"val\":[\"v\"]}",
        "{\"key\":\"k\",\"val\":{\"a\":1}}",
        "{\"key\":\"k\",\"val\":\"v\",\"val\":\"w\"}",
        "{\"key\":\"k\",\"key\":\"k\",\"val\":\"w\"}",
        "{\"key\":\"k\",\"val\":\"v\",\"val\":null}",
        "{\"key\":\"k\",\"val\":\"\\ud83d\"}",
        "{\"key\":\"k\",\"val\":\"\\ude00\\ud83d\"}",
        "{\"key\":\"k\",\"val\":\"\\ud83dx\"}",
        "{\"key\":\"\\udc00\",\"val\":\"v\"}",
      })
  void jsonOfAnotherShapeIsInvalid(String body) throws Exception {
    assertProblem(422, "invalid_body", server.post("/put", body));
  }

  /** Long bodies are decoded as they are read. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\ud83d",
        "\\ude00",
        "\\ud83dx",
        "\\ud83d\\n",
        "\\ud83d\\u0041",
        "\\ud83d\\ud83d\\ude00",
        "\\ud83d\\\\ude00"
      })
  void halfAPairIsInvalidInShortAndInLongBodies(String text) throws Exception {
    for (int length : new int[] {0, 10_000, 50_000}) {
      String body = "{\"key\":\"k\",\"val\":\"" + "x".repeat(length) + text + "\"}";
      assertProblem(422, "invalid_body", server.post("/put", body));
    }
  }

  @Test
  void wholePairsDoNotHideWhatIsMalformed() throws Exception {
    for (int length : new int[] {0, 50_000}) {
      String text = "x".repeat(length) + "\\ud83d\\ude00\\\\ud83d\\\"";
      String body = "{\"key\":\"k\",\"val\":\"" + text;
      assertEquals(200, server.post("/put", body + "\"}").statusCode());
      assertProblem(400, "malformed_json", server.post("/put", body + "\u0001\"}"));
      assertProblem(400, "malformed_json", server.post("/put", body + "\"}}"));
      server.put("k", "before");
    }
  }

  @Test
  void anEmptyKeyIsRefused() throws Exception {
    assertProblem(422, "empty_key", server.post("/put", "{\"key\":\"\",\"val\":\"v\"}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"2\"", "2.0", "2e0", "-1", "1.5", "9223372036854775808", "null", "[2]"})
  void aNodeIdIsAWholeNumber(String id) throws Exception {
    assertProblem(
        422, "invalid_body", server.post("/internal/heartbeat", "{\"node_id\":" + id + "}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "9223372036854775807"})
  void aNodeIdMayBeAnyWholeNumber(String id) throws Exception {
    assertEquals(
        "{\"status\":\"ok\",\"node_id\":" + id + "}",
        server.post("/internal/heartbeat", "{\"node_id\":" + id + "}").body());
  }

  @Test
  void nestingHasALimit() throws Exception {
    String deep = "[".repeat(100_000) + "]".repeat(100_000);
    assertProblem(
        400, "malformed_json", server.post("/put", "{\"key\":\"k\",\"val\":" + deep + "}"));
  }

  @Test
  void bytesThatAreNotUtf8AreMalformed() throws Exception {
    byte[] body = "{\"key\":\"k\",\"val\":\"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1);
    HttpResponse<String> answer =
        server.send(
            server
                .request("/put")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body)));
    assertProblem(400, "malformed_json", answer);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=latin1",
        "application/json, application/json",
        "json"
      })
  void otherMediaTypesAreNotSupported(String type) throws Exception {
    assertProblem(
        415,
        "unsupported_media_type",
        server.send(
            server
                .request("/put")
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString("{\"key\":\"k\",\"val\":\"v\"}"))));
  }

  @ParameterizedTest
  @CsvSource({"/put, text/plain", "/internal/heartbeat, text/plain"})
  void aMissingMediaTypeIsNotSupported(String path) throws Exception {
    assertProblem(
        415,
        "unsupported_media_type",
        server.send(server.request(path).POST(BodyPublishers.ofString("{}"))));
  }

  @Test
  void compressedBodiesAreNotSupported() throws Exception {
    assertProblem(
        415,
        "unsupported_media_type",
        server.send(
            server
                .request("/put")
                .header("Content-Type", "application/json")
                .header("Content-Encoding", "gzip")
                .POST(BodyPublishers.ofString("{}"))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json; charset=\"UTF-8\"",
        "application/json ; x=y"
      })
  void jsonInUtf8IsSupported(String type) throws Exception {
    HttpResponse<String> answer =
        server.send(
            server
                .request("/put")
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString("{\"key\":\"k\",\"val\":\"before\"}")));
    assertEquals(200, answer.statusCode());
  }

  @Test
  void unknownFieldsAreSkipped() throws Exception {
    HttpResponse<String> answer =
        server.post(
            "/put",
            "{\"x\":[{\"key\":\"z\"}],\"val\":\"before\",\"x\":1,\"key\":\"k\",\"y\":null}");
    assertEquals(200, answer.statusCode());
  }

  private static void assertProblem(int status, String code, HttpResponse<String> answer) {
    assertEquals(code, ServerUnderTest.code(answer.body()));
    assertEquals(status, answer.statusCode());
    assertEquals(
        "application/problem+json", answer.headers().firstValue("Content-Type").orElse(""));
  }
}
