package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What judges the server's answers takes nothing for an answer that is none. */
final class ResponseStreamTest {
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

  private static List<ResponseStream.Response> parsed(String sent, boolean mayBeForHead) {
    return ResponseStream.parse(sent.getBytes(StandardCharsets.ISO_8859_1), mayBeForHead)
        .orElseThrow(() -> new AssertionError("not taken: " + sent));
  }

  @Test
  void answersFollowOneAnother() {
    List<ResponseStream.Response> answers =
        parsed("HTTP/1.1 100 Continue\r\n\r\n" + OK + "ab" + OK + "cd", false);
    assertEquals(List.of(100, 200, 200), answers.stream().map(a -> a.status()).toList());
    assertEquals(List.of("", "ab", "cd"), answers.stream().map(a -> a.body()).toList());
  }

  @Test
  void answersForHeadHaveNoBody() {
    List<ResponseStream.Response> answers = parsed(OK + OK + "ab" + OK, true);
    assertEquals(List.of("", "ab", ""), answers.stream().map(a -> a.body()).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        OK,
        OK + "a",
        OK + "abc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\n\r\nab",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
        "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 99 Odd\r\nContent-Length: 2\r\n\r\nab",
      })
  void whatIsNoAnswerIsNotTaken(String sent) {
    byte[] bytes = sent.getBytes(StandardCharsets.ISO_8859_1);
    assertTrue(ResponseStream.parse(bytes, false).isEmpty());
  }
}
