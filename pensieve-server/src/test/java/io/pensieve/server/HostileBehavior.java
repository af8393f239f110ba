package io.pensieve.server;

import java.io.IOException;
import java.util.Random;

/**
 * What a client may do to a server on one connection before it goes, falls silent, or resets. Those
 * that have a token say so in the place of {@code %s}.
 */
enum HostileBehavior {
  SILENCE(""),
  HALF_A_LINE("GET /v1/kv/abu"),
  HALF_A_HEAD("GET /v1/kv/abused-1 HTTP/1.1\r\nHost: te"),
  A_HEAD_WITHOUT_END("GET /v1/kv/k HTTP/1.1\r\n" + "X-Field: 0123456789abcdef\r\n".repeat(400)),
  A_HEAD_TOO_LONG("GET /v1/kv/k HTTP/1.1\r\nHost: test\r\nX: " + "x".repeat(70_000)),
  NO_HTTP("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"),
  ANOTHER_HTTP("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
  NO_BODY("PUT /v1/kv/abused-1 HTTP/1.1\r\n%sContent-Length: 100000\r\n\r\n"),
  HALF_A_BODY(
      "PUT /v1/kv/abused-1 HTTP/1.1\r\n%sContent-Length: 200000\r\n\r\n" + letters(100_000)),
  NEARLY_A_LARGE_BODY(
      "PUT /v1/kv/abused-2 HTTP/1.1\r\n%sContent-Length: 1048577\r\n\r\n" + letters(1 << 20)),
  A_LARGE_BODY(
      "PUT /v1/kv/abused-3 HTTP/1.1\r\n%sContent-Length: 1048576\r\n\r\n" + letters(1 << 20)),
  A_LARGE_TEXT(
      "POST /put HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: 1048610\r\n\r\n"
          + ("{\"key\":\"abused-4\",\"val\":\"" + letters(1_048_610 - 26) + "\"}")),
  A_REFUSED_TEXT(
      "POST /put HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
          + letters(100_000)),
  HALF_A_CHUNK(chunked() + "186a0\r\n" + letters(50_000)),
  HALF_A_CHUNK_SIZE(chunked() + "186"),
  NO_LAST_CHUNK(chunked() + "10\r\n0123456789abcdef\r\n"),
  A_BAD_CHUNK(chunked() + "g\r\n\r\n" + letters(10_000)),
  A_BAD_TRAILER(chunked() + "1\r\nx\r\n0\r\nA: \0\r\n\r\n"),
  ENDLESS_CHUNKS(chunked() + ("10000\r\n" + letters(1 << 16) + "\r\n").repeat(40)),
  A_REFUSED_LENGTH("PUT /v1/kv/abused-1 HTTP/1.1\r\n%sContent-Length: 2000000000\r\n\r\nabc"),
  A_BODY_BEHIND_A_REFUSAL(
      "PUT /v1/kv/abused-1 HTTP/1.1\r\n%sContent-Length: 4000000\r\n\r\n" + letters(3_000_000)),
  A_BODY_WITHOUT_A_TOKEN(
      "PUT /v1/kv/k HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n" + letters(100_000)),
  A_BODY_NOBODY_ASKED_FOR("GET /livez HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nx"),
  A_PROMISE("PUT /v1/kv/abused-1 HTTP/1.1\r\n%sExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"),
  A_PIPELINE(get("/v1/kv/large").repeat(20) + get("/nowhere") + "GET /v1/k"),
  AN_UNREAD_VALUE(get("/v1/kv/large")),
  AN_UNREAD_TEXT(get("/get/control")),
  AN_UNREAD_LIST(get("/v1/keys?limit=1000") + get("/metrics")),
  AN_UNREAD_WATCH(get("/v1/watch")),
  AN_UNREAD_HISTORY(get("/v1/watch?since=1")),
  A_LONG_POLL("GET /v1/kv/abused-1?wait=60s HTTP/1.1\r\n%sIf-None-Match: *\r\n\r\n"),
  A_BATCH(
      "POST /v1/batch HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: 88\r\n\r\n"
          + "{\"atomic\":true,\"ops\":[{\"op\":\"get\",\"key\":\"large\"},"
          + "{\"op\":\"incr\",\"key\":\"abused-1\"}]}  "),
  HALF_A_BATCH(
      "POST /v1/batch HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
          + "{\"atomic\":false,\"ops\":["
          + "{\"op\":\"put\",\"key\":\"a\",\"value\":\"b\"},".repeat(1000));

  private final String text;

  HostileBehavior(String text) {
    this.text = text;
  }

  private static String letters(int length) {
    return "x".repeat(length);
  }

  private static String chunked() {
    return "PUT /v1/kv/abused-1 HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n";
  }

  private static String get(String target) {
    return "GET " + target + " HTTP/1.1\r\n%s\r\n";
  }

  /** Begins; what the server does not take is not sent. */
  void begin(HostileConnection connection, String token) throws IOException {
    String all = text.replace("%s", "Host: test\r\nAuthorization: Bearer " + token + "\r\n");
    long unused = connection.flood(all, all.length());
  }

  /** How a connection ends. */
  enum End {
    CLOSE,
    RESET,
    END_OF_OUTPUT,
    STAY;

    static End any(Random random) {
      return values()[random.nextInt(values().length)];
    }
  }
}
