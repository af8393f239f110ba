package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many keys deleted by their prefix, or all, in pieces. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DeleteKeysTest {
  private ServerUnderTest server;

  @BeforeAll
  void start() throws Exception {
    server = ServerUnderTest.start();
  }

  @AfterAll
  void close() {
    server.close();
  }

  @BeforeEach
  void clear() {
    server.entries.clear();
  }

  private HttpResponse<String> ask(String query) throws Exception {
    return server.send(server.request("/v1/keys" + query).DELETE());
  }

  private JsonObject delete(String query) throws Exception {
    HttpResponse<String> answer = ask(query);
    assertEquals(200, answer.statusCode(), answer.body());
    return JsonParser.parseString(answer.body()).getAsJsonObject();
  }

  private void put(String prefix, int count) {
    for (int i = 0; i < count; i++) {
      server.map.put(prefix + i, "1");
    }
  }

  @Test
  void onlyKeysWithThePrefixAreDeletedAndTheyAreCounted() throws Exception {
    put("a/", 3);
    put("a", 2);
    put("b/", 1);
    JsonObject answer = delete("?prefix=a%2F");
    assertEquals("{\"deleted\":3,\"done\":true}", answer.toString());
    assertEquals(3, server.map.size());
    assertFalse(server.map.containsKey("a/0"));
    assertEquals("{\"deleted\":0,\"done\":true}", delete("?prefix=a/").toString());
  }

  @Test
  void aPieceSaysWhereToGoOn() throws Exception {
    put("a/", 25);
    JsonObject piece = delete("?prefix=a/&limit=10");
    int deleted = piece.get("deleted").getAsInt();
    while (!piece.get("done").getAsBoolean()) {
      assertEquals(25 - deleted, server.map.size());
      piece = delete("?prefix=a/&limit=10&cursor=" + piece.get("cursor").getAsString());
      deleted += piece.get("deleted").getAsInt();
    }
    assertFalse(piece.has("cursor"));
    assertEquals(25, deleted);
    assertTrue(server.map.isEmpty());
  }

  @Test
  void theLoopEndsThoughOthersPutKeysMeanwhile() throws Exception {
    put("a/", 20);
    JsonObject piece = delete("?all=true&limit=10");
    put("a/", 5); // before the cursor: a/0, a/1, a/10 and so on are gone
    int pieces = 1;
    while (!piece.get("done").getAsBoolean()) {
      server.map.put("a/0", "1");
      piece = delete("?all=true&limit=10&cursor=" + piece.get("cursor").getAsString());
      assertTrue(++pieces < 10);
    }
    assertTrue(server.map.containsKey("a/0"));
  }

  @Test
  void aPieceCanBeRepeated() throws Exception {
    put("a/", 20);
    JsonObject piece = delete("?prefix=a/&limit=10");
    String next = "?prefix=a/&limit=5&cursor=" + piece.get("cursor").getAsString();
    assertEquals(5, delete(next).get("deleted").getAsInt());
    assertEquals(5, delete(next).get("deleted").getAsInt());
    assertTrue(delete(next).get("done").getAsBoolean());
    assertTrue(server.map.isEmpty());
  }

  @Test
  void allIsMoreThanOnePiece() throws Exception {
    put("", 1001);
    JsonObject piece = delete("?all=true");
    assertEquals(1000, piece.get("deleted").getAsInt());
    assertFalse(piece.get("done").getAsBoolean());
    assertEquals(1, server.map.size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "?prefix=",
        "?all=false",
        "?all=",
        "?all=true&prefix=a",
        "?all=true&prefix=",
        "?prefix=a&limit=0",
        "?prefix=a&limit=1001",
        "?prefix=a&cursor=x",
        "?prefix=a&delimiter=/"
      })
  void whatDoesNotSayWhatToDeleteDeletesNothing(String query) throws Exception {
    put("a", 1);
    HttpResponse<String> refused = ask(query);
    assertEquals("invalid_query", ServerUnderTest.code(refused.body()));
    assertEquals(1, server.map.size());
  }

  @Test
  void aCursorBelongsToItsPrefix() throws Exception {
    put("a/", 5);
    String cursor = delete("?prefix=a/&limit=1").get("cursor").getAsString();
    assertEquals("invalid_query", ServerUnderTest.code(ask("?prefix=a&cursor=" + cursor).body()));
    assertEquals(4, server.map.size());
  }

  @Test
  void aRequestWithABrokenBodyDeletesNothing() throws Exception {
    put("a", 1);
    try (RawClient client = server.connect()) {
      String chunked = "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n";
      client.send("DELETE /v1/keys?all=true HTTP/1.1\r\nHost: test\r\n" + chunked);
      assertEquals(400, client.receive().status());
    }
    assertEquals(1, server.map.size());
  }

  @Test
  void itIsNoRequestThatIsRemembered() throws Exception {
    put("a", 1);
    HttpResponse<String> refused =
        server.send(server.request("/v1/keys?all=true").header("Idempotency-Key", "k").DELETE());
    assertEquals("idempotency_not_promised", ServerUnderTest.code(refused.body()));
    assertEquals(1, server.map.size());
  }
}
