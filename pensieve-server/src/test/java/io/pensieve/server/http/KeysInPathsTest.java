package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.SizeLimits;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class KeysInPathsTest {
  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    client = server.connect();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  @ParameterizedTest
  @CsvSource({
    "/get/foo, foo",
    "/get/foo/, foo/",
    "/get/a%2Fb, a/b",
    "/get/a%2fb, a/b",
    "/get/a/b, a/b",
    "/get/a%252Fb, a%2Fb",
    "/get/what%3Fnow, what?now",
    "/get/a;v=1, a;v=1",
    "/get/a;b, a;b",
    "/get/a;v=1/b;c=2, a;v=1/b;c=2",
    "/get/a+b, a+b",
    "/get/a%20b, 'a b'",
    "/get/a&b=c, a&b=c",
    "/get/../put, ../put",
    "/get//, /",
    "/get/%00, '\0'",
    "/get/%0D%0A, '\r\n'",
    "/get/%C3%A9, é",
    "/get/%F0%9F%98%80, 😀",
    "/get/a?key=evil, a",
    "/get/a?, a",
    "/get/a%3Fkey=evil?key=more, a?key=evil",
    "http://test/get/foo, foo",
    "http://test/get/a%2Fb?x, a/b",
    "https://test/get/get/, get/"
  })
  void namesExactlyTheKey(String target, String key) throws Exception {
    server.map.put(key, "right");
    RawClient.Response got = client.request("GET", target).receive();
    assertEquals("{\"val\":\"right\"}", got.body());
  }

  @Test
  void deleteNamesExactlyTheKey() throws Exception {
    server.map.put("a%2Fb", "stays");
    server.map.put("a/b", "goes");
    assertEquals(200, client.request("DELETE", "/delete/a%2Fb?key=a%252Fb").receive().status());
    assertEquals(Map.of("a%2Fb", "stays"), Map.copyOf(server.map));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%FF",
        "%C3",
        "a%C3%28",
        "%C0%AF",
        "%E0%80%AF",
        "%F0%80%80%AF",
        "%ED%A0%80",
        "%F4%90%80%80"
      })
  void bytesThatAreNotUtf8AreRefused(String rawKey) throws Exception {
    RawClient.Response get = client.request("GET", "/get/" + rawKey).receive();
    assertEquals(400, get.status());
    assertEquals("malformed_path", ServerUnderTest.code(get.body()));
    RawClient.Response delete = client.request("DELETE", "/delete/" + rawKey).receive();
    assertEquals(400, delete.status());
  }

  @ParameterizedTest
  @ValueSource(strings = {"%", "a%", "a%2", "a%zz", "a%2g", "a%-1", "%+1", "%%41"})
  void brokenEscapesAreRefused(String rawKey) throws Exception {
    RawClient.Response refused = client.request("GET", "/get/" + rawKey).receive();
    assertEquals(400, refused.status());
    assertEquals("malformed_path", ServerUnderTest.code(refused.body()));
    // The framing says no first; this door must hold without it too.
    ProblemException exception = assertThrows(ProblemException.class, () -> RawPath.decode(rawKey));
    assertEquals(ProblemType.MALFORMED_PATH, exception.type());
  }

  @ParameterizedTest
  @ValueSource(strings = {"é", "a b", "\u007f", "\u0001"})
  void whatMustBeEscapedAndIsNotIsRefused(String rawKey) {
    ProblemException exception = assertThrows(ProblemException.class, () -> RawPath.decode(rawKey));
    assertEquals(ProblemType.MALFORMED_PATH, exception.type());
  }

  @Test
  void rawUtf8InARequestLineIsRefusedWithAProblem() throws Exception {
    RawClient.Response refused = client.request("GET", "/get/é").receive();
    assertEquals(400, refused.status());
    assertEquals("malformed_path", ServerUnderTest.code(refused.body()));
  }

  // What is no part of a path as RFC 3986 has it, and is sent by Node's fetch and Python's urllib.
  @ParameterizedTest
  @ValueSource(
      strings = {"|", "^", "{", "}", "\"", "\\", "`", "<", ">", "[", "]", "{\"a\":[1]}", "a|%7C\\"})
  void whatNeedNotBeEscapedIsTakenAsItIs(String raw) throws Exception {
    String key = raw.replace("%7C", "|");
    for (String path : new String[] {"/get/" + raw, "/get/;" + raw, "/get/x/../" + raw}) {
      server.map.put(path.substring("/get/".length()).replace("%7C", "|"), "right");
      assertEquals("{\"val\":\"right\"}", client.request("GET", path).receive().body(), path);
    }
    client.send(
        "PUT /v1/kv/" + raw + "?ttl=1h HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nv");
    assertEquals(204, client.receive().status());
    assertEquals(200, client.request("DELETE", "/delete/" + raw + "?" + raw).receive().status());
    assertEquals(null, server.map.get(key));
  }

  @Test
  void aKeyMayHaveThousandsOfSemicolons() throws Exception {
    String key = ";a".repeat(SizeLimits.DEFAULT_KEY_BYTES_MAX / 2);
    server.map.put(key, "right");
    String queries = "&a".repeat(3000);
    assertEquals(
        "{\"val\":\"right\"}",
        client.request("GET", "/get/" + key + "?" + queries).receive().body());
  }

  @Test
  void anEmptyKeyIsRefused() throws Exception {
    RawClient.Response answer = client.request("GET", "/get/").receive();
    assertEquals(422, answer.status());
    assertEquals("empty_key", ServerUnderTest.code(answer.body()));
    assertEquals(422, client.request("DELETE", "/delete/?key=a").receive().status());
  }

  @Test
  void aKeyMayBeAsLongAsTheLimitInUtf8AndNoLonger() throws Exception {
    String longest = "é".repeat(SizeLimits.DEFAULT_KEY_BYTES_MAX / 2);
    server.put(longest, "v");
    assertEquals("v", server.get(longest));
    RawClient.Response answer =
        client.request("GET", "/get/" + ServerUnderTest.escaped(longest + "a")).receive();
    assertEquals(413, answer.status());
    assertEquals("key_too_large", ServerUnderTest.code(answer.body()));
    assertTrue(answer.body().contains("1025") && answer.body().contains("1024"), answer.body());
  }
}
