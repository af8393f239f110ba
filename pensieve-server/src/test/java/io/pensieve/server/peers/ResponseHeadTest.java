package io.pensieve.server.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResponseHeadTest {
  @Test
  void saysWhoAnsweredAndHowLongTheBodyIs() throws IOException {
    ResponseHead head = head("HTTP/1.1 200 OK", "CONTENT-LENGTH: 28", "pensieve-node-id:7");
    assertEquals(new ResponseHead(200, OptionalLong.of(28), OptionalLong.of(7)), head);
  }

  @Test
  void everyIdFits() throws IOException {
    long id = Long.MAX_VALUE;
    assertEquals(OptionalLong.of(id), head("HTTP/1.1 200", "Pensieve-Node-Id: " + id).nodeId());
    assertEquals(OptionalLong.of(0), head("HTTP/1.1 200", "Pensieve-Node-Id: 0").nodeId());
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "two", "", "1.5", "9223372036854775808"})
  void whatIsNoIdIsNotOne(String id) throws IOException {
    assertEquals(OptionalLong.empty(), head("HTTP/1.1 200 OK", "Pensieve-Node-Id: " + id).nodeId());
  }

  @ParameterizedTest
  @ValueSource(strings = {"Connection: Close", "Transfer-Encoding: chunked", "Content-Length: -1"})
  void theLengthIsOnlyKnownWhereTheConnectionCanBeUsedAgain(String line) throws IOException {
    assertEquals(OptionalLong.empty(), head("HTTP/1.1 200 OK", line).bodyBytes());
    ResponseHead both = head("HTTP/1.1 200 OK", "Content-Length: 2", line);
    assertEquals(OptionalLong.empty(), both.bodyBytes());
  }

  @Test
  void onlyTheTwoHundredsAreSuccesses() throws IOException {
    assertTrue(head("HTTP/1.1 200 OK").isSuccess());
    assertTrue(head("HTTP/1.0 299").isSuccess());
    assertFalse(head("HTTP/1.1 199 Odd").isSuccess());
    assertFalse(head("HTTP/1.1 300 Multiple Choices").isSuccess());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/2 200", "ICY 200"})
  void whatIsNoStatusLineIsRefused(String line) {
    assertThrows(IOException.class, () -> head(line));
    assertThrows(IOException.class, () -> ResponseHead.of(List.of()));
  }

  private static ResponseHead head(String... lines) throws IOException {
    return ResponseHead.of(List.of(lines));
  }
}
