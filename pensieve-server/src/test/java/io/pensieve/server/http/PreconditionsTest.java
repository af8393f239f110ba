package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that depend on the version of the entry. V stands for its tag in these tests. */
final class PreconditionsTest {
  private static final byte[] NEW = {2};

  private ServerUnderTest server;
  private KvClient kv;
  private String tag = "";

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    kv = new KvClient(server);
    kv.put("k", new byte[] {0});
    tag = KvClient.header(kv.put("k", new byte[] {1}), "ETag");
  }

  @AfterEach
  void close() {
    server.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "If-Match | V | 204 | 412",
        "If-Match | * | 204 | 412",
        "If-Match | \"77777\", V | 204 | 412",
        "If-Match | ,,V, | 204 | 412",
        "If-Match | W/V | 412 | 412",
        "If-Match | \"77777\" | 412 | 412",
        "If-Match | \"0\" | 412 | 412",
        "If-Match | \"\" | 412 | 412",
        "If-Match | \"of-another-server,5\" | 412 | 412",
        "If-Match | \"99999999999999999999\" | 412 | 412",
        "If-None-Match | * | 412 | 201",
        "If-None-Match | V | 412 | 201",
        "If-None-Match | W/V | 412 | 201",
        "If-None-Match | \"77777\" | 204 | 201",
      })
  void aPutDependsOnTheVersion(String name, String value, int ifThere, int ifNot) throws Exception {
    HttpResponse<byte[]> there = kv.put("k", NEW, name, value.replace("V", tag));
    assertEquals(ifThere, there.statusCode());
    assertEquals(KvClient.header(kv.get("k"), "ETag"), KvClient.header(there, "ETag"));
    assertEquals(ifThere == 204 ? 2 : 1, kv.get("k").body()[0]);
    HttpResponse<byte[]> missing = kv.put("missing", NEW, name, value.replace("V", tag));
    assertEquals(ifNot, missing.statusCode());
    assertEquals(ifNot == 201 ? 200 : 404, kv.get("missing").statusCode());
    if (ifNot == 412) {
      KvClient.assertProblem(412, "precondition_failed", missing);
      assertEquals("", KvClient.header(missing, "ETag"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "If-Match | V | 204 | 412",
        "If-Match | * | 204 | 412",
        "If-Match | \"77777\" | 412 | 412",
        "If-None-Match | V | 412 | 204",
        "If-None-Match | \"77777\" | 204 | 204",
      })
  void aDeleteDependsOnTheVersion(String name, String value, int ifThere, int ifNot)
      throws Exception {
    assertEquals(ifNot, kv.delete("missing", name, value.replace("V", tag)).statusCode());
    HttpResponse<byte[]> there = kv.delete("k", name, value.replace("V", tag));
    assertEquals(ifThere, there.statusCode());
    assertEquals(ifThere == 204 ? 404 : 200, kv.get("k").statusCode());
    assertEquals(ifThere == 204 ? "" : tag, KvClient.header(there, "ETag"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "If-None-Match | V | 304",
        "If-None-Match | W/V | 304",
        "If-None-Match | * | 304",
        "If-None-Match | \"77777\",V | 304",
        "If-None-Match | \"77777\" | 200",
        "If-Match | V | 200",
        "If-Match | \"77777\" | 412",
        "If-Modified-Since | Sun, 22 Nov 2099 20:00:00 GMT | 200",
      })
  void aGetDependsOnTheVersion(String name, String value, int status) throws Exception {
    HttpResponse<byte[]> get = kv.get("k", name, value.replace("V", tag));
    assertEquals(status, get.statusCode());
    assertEquals(tag, KvClient.header(get, "ETag"));
    assertEquals(404, kv.get("missing", name, value.replace("V", tag)).statusCode());
  }

  @Test
  void bothConditionsMustHold() throws Exception {
    assertEquals(412, kv.put("k", NEW, "If-Match", tag, "If-None-Match", tag).statusCode());
    assertEquals(412, kv.put("k", NEW, "If-Match", "*", "If-None-Match", "*").statusCode());
    assertEquals(412, kv.put("no", NEW, "If-Match", "*", "If-None-Match", "*").statusCode());
    assertEquals(204, kv.put("k", NEW, "If-Match", tag, "If-None-Match", "\"7\"").statusCode());
  }

  @Test
  void aConditionMayTakeSeveralLines() throws Exception {
    HttpResponse<byte[]> get = kv.get("k", "If-None-Match", "\"7\"", "If-None-Match", tag);
    assertEquals(304, get.statusCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"5", "\"5", "5\"", "w/\"5\"", "*,\"5\"", "\"5\" \"6\"", "", ",", "W/5"})
  void whatIsNoListOfTagsIsRefused(String value) throws Exception {
    for (String name : new String[] {"If-Match", "If-None-Match"}) {
      KvClient.assertProblem(400, "malformed_condition", kv.put("k", NEW, name, value));
      KvClient.assertProblem(400, "malformed_condition", kv.get("k", name, value));
      KvClient.assertProblem(400, "malformed_condition", kv.delete("k", name, value));
    }
    assertEquals(1, kv.get("k").body()[0]);
  }

  @Test
  void aConditionalWriteMayExpire() throws Exception {
    assertEquals(204, kv.put("k?ttl=1ms", NEW, "If-Match", tag).statusCode());
    Await.until("the entry expires", () -> kv.get("k").statusCode() == 404);
  }
}
