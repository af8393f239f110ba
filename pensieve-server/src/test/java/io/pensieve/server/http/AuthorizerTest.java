package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.access.Tokens;
import io.pensieve.server.http.transport.Route;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in. The routes are asked one by one, with each kind of token. */
final class AuthorizerTest {
  private static final String LINES =
      """
      read the-token-to-read
      write the-token-to-write
      admin the-token-to-admin
      peer the-token-of-a-peer
      """;

  private final Authorizer authorizer = Authorizer.withTokens(Tokens.parse(LINES));
  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    server = new ServerUnderTest(Log.none(), ServerUnderTest.openTo(authorizer), Cluster.alone(1));
    client = server.connect();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  /** Which routes a token opens: a table of its own, so that a route's role is said twice. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "the-token-to-read   | READ",
        "the-token-to-write  | READ WRITE",
        "the-token-to-admin  | READ WRITE ADMIN",
        "the-token-of-a-peer | PEER"
      })
  void aTokenOpensTheRoutesOfItsRole(String token, String opened) throws Exception {
    for (Route route : routes()) {
      boolean isOpen =
          route.role() == Role.ANYONE || List.of(opened.split(" ")).contains(route.role().name());
      RawClient.Response answer = ask(route, "Authorization: Bearer " + token + "\r\n");
      assertEquals(!isOpen, answer.status() == 403, () -> route + " " + answer);
      assertTrue(answer.status() != 401, () -> route + " " + answer);
      if (!isOpen) {
        assertEquals("forbidden", ServerUnderTest.code(answer.body()));
        assertEquals(
            "Bearer realm=\"pensieve\", error=\"insufficient_scope\", scope=\""
                + route.role().name().toLowerCase(Locale.ROOT)
                + "\"",
            answer.header("www-authenticate"));
      }
    }
  }

  @Test
  void withoutATokenOnlyTheRoutesForAnyoneAreOpen() throws Exception {
    List<String> open = new ArrayList<>();
    for (Route route : routes()) {
      RawClient.Response answer = ask(route, "");
      if (answer.status() != 401) {
        open.add(route.template());
        continue;
      }
      assertEquals("unauthorized", ServerUnderTest.code(answer.body()));
      assertEquals("Bearer realm=\"pensieve\"", answer.header("www-authenticate"));
    }
    assertEquals(
        List.of("/livez", "/readyz", "/openapi.json", "/", "/ui", "/ui/{file}"),
        open,
        "monitoring, and the files of the page, which have no data");
  }

  @Test
  void theRolesOfTheSeedsRoutes() {
    assertRole(Role.READ, "/get/{key}");
    assertRole(Role.WRITE, "/put");
    assertRole(Role.WRITE, "/delete/{key}");
    assertRole(Role.PEER, "/internal/heartbeat");
    assertRole(Role.READ, "/cluster");
    assertRole(Role.READ, "/metrics");
  }

  private void assertRole(Role role, String template) {
    for (Route route : routes()) {
      if (route.template().equals(template)) {
        assertEquals(role, route.role());
        return;
      }
    }
    throw new AssertionError("no route " + template);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Bearer the-token-to-rea",
        "Bearer the-token-to-read0",
        "Bearer THE-TOKEN-TO-READ",
        "Bearer",
        "Bearer ",
        "the-token-to-read",
        "Basic the-token-to-read",
        "Bearer the-token-to-read, Bearer the-token-to-read",
        "Bearer the-token-to-read\r\nAuthorization: Bearer the-token-to-read"
      })
  void anythingElseIsNoToken(String authorization) throws Exception {
    RawClient.Response answer = get("/get/foo", "Authorization: " + authorization + "\r\n");
    assertEquals(401, answer.status());
    assertEquals(
        "Bearer realm=\"pensieve\", error=\"invalid_token\"", answer.header("www-authenticate"));
    assertFalse(answer.body().toLowerCase(Locale.ROOT).contains("the-token"), answer.body());
  }

  @Test
  void theSchemeIsInAnyCase() throws Exception {
    assertEquals(200, get("/get/foo", "authorization: bEARER  the-token-to-read\r\n").status());
  }

  @Test
  void aTokenInTheQueryIsNone() throws Exception {
    assertEquals(401, get("/get/foo?access_token=the-token-to-read", "").status());
  }

  @Test
  void whatIsRefusedHasChangedNothing() throws Exception {
    server.map.put("foo", "bar");
    client.send(put("read")).receive();
    String reading = "Authorization: Bearer the-token-to-read\r\n";
    client.send("DELETE /delete/foo HTTP/1.1\r\nHost: test\r\n" + reading + "\r\n").receive();
    assertEquals("bar", server.map.get("foo"));
    assertEquals(200, client.send(put("write")).receive().status());
    assertEquals("new", server.map.get("foo"));
  }

  private static String put(String role) {
    String body = "{\"key\":\"foo\",\"val\":\"new\"}";
    return "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        + ("Authorization: Bearer the-token-to-" + role + "\r\n")
        + ("Content-Length: " + body.length() + "\r\n\r\n")
        + body;
  }

  @Test
  void replacedTokensHoldFromTheNextRequestOnOverTheSameConnection() throws Exception {
    String old = "Authorization: Bearer the-token-to-read\r\n";
    String replaced = "Authorization: Bearer another-token-to-read\r\n";
    assertEquals(200, get("/get/foo", old).status());
    assertEquals(401, get("/get/foo", replaced).status());
    authorizer.replace(Tokens.parse("read another-token-to-read"));
    assertEquals(401, get("/get/foo", old).status());
    assertEquals(200, get("/get/foo", replaced).status());
  }

  @Test
  void withoutTokensEverythingIsOpen() throws Exception {
    try (ServerUnderTest open = ServerUnderTest.start()) {
      for (Route route : routes()) {
        try (RawClient anyone = open.connect()) {
          int status = anyone.send(request(route, "")).receive().status();
          assertTrue(status != 401 && status != 403, route + " " + status);
        }
      }
    }
  }

  private List<Route> routes() {
    return server.http.routeTable().routes();
  }

  private RawClient.Response ask(Route route, String header) throws IOException {
    // Each over its own connection, since an answer may be a stream that does not end.
    try (RawClient once = server.connect()) {
      return once.send(request(route, header)).receive();
    }
  }

  private static String request(Route route, String header) {
    String path = route.template().replace("{key}", "foo");
    boolean hasBody = route.method().toString().startsWith("P");
    return route.method()
        + (" " + path + " HTTP/1.1\r\nHost: test\r\n" + header)
        + (hasBody ? "Content-Length: 2\r\n\r\n{}" : "\r\n");
  }

  private RawClient.Response get(String path, String header) throws IOException {
    return client.send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + header + "\r\n").receive();
  }
}
