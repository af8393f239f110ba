package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import io.pensieve.server.http.access.AllowedHosts;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import java.net.http.HttpResponse;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is sent to the page, and how its files are answered. UiPageTest looks at the page itself. */
final class UiRoutesTest {
  private static final String OF_CHROMIUM =
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
  private static final Pattern LOADED =
      Pattern.compile("(?:src|href)=\"([^\"]+)\"|from \"\\./([^\"]+)\"");

  private ServerUnderTest server = open(Authorizer.open());

  private static ServerUnderTest open(Authorizer authorizer) {
    return open(ServerUnderTest.openTo(authorizer));
  }

  private static ServerUnderTest open(HttpServer.Settings settings) {
    try {
      return new ServerUnderTest(Log.none(), settings, Cluster.alone(1));
    } catch (java.io.IOException noPort) {
      throw new AssertionError(noPort);
    }
  }

  private void reopen(HttpServer.Settings settings) {
    server.close();
    server = open(settings);
  }

  private static HttpServer.Settings withoutPage() {
    return ServerUnderTest.on().ui(false).build();
  }

  @AfterEach
  void everyRequestIsAnsweredToItsEnd() throws Exception {
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  private RawClient.Response get(String path, String headers) throws Exception {
    try (RawClient client = server.connect()) {
      return client
          .send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n")
          .receive();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        OF_CHROMIUM,
        "text/html",
        "TEXT/HTML;level=1",
        "application/json;q=0.5, text/html;q=0.6",
        "text/html;q=1.0,*/*;q=0.1"
      })
  void aBrowserIsSentFromTheRootToThePage(String accept) throws Exception {
    RawClient.Response sent = get("/", "Accept: " + accept + "\r\n");
    assertEquals(302, sent.status());
    assertEquals("ui/", sent.header("location"));
    assertEquals("Accept", sent.header("vary"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Accept: */*\r\n",
        "Accept: application/json\r\n",
        "Accept: text/html, application/json\r\n",
        "Accept: text/html;q=0\r\n",
        "Accept: text/html;q=x\r\n",
        "Accept: application/json, text/html;q=0.9\r\n"
      })
  void aProgramFindsNothingAtTheRoot(String headers) throws Exception {
    RawClient.Response refused = get("/", headers);
    assertEquals(404, refused.status());
    assertEquals("no_such_route", ServerUnderTest.code(refused.body()));
  }

  @ParameterizedTest
  @CsvSource({
    "/ui/, text/html;charset=utf-8",
    "/ui/index.html, text/html;charset=utf-8",
    "/ui/main.js, text/javascript;charset=utf-8",
    "/ui/page.css, text/css;charset=utf-8",
    "/ui/icon.svg, image/svg+xml",
    "/ui/uPlot.iife.min.js, text/javascript;charset=utf-8",
    "/ui/uPlot.min.css, text/css;charset=utf-8"
  })
  void aFileHasItsTypeItsTagAndStrictHeaders(String path, String type) throws Exception {
    for (int i = 0; i < 2; i++) { // read from the jar, then kept
      RawClient.Response file = get(path, "");
      assertEquals(200, file.status());
      assertEquals(type, file.header("content-type"));
      assertEquals("no-cache", file.header("cache-control"));
      assertEquals("nosniff", file.header("x-content-type-options"));
      assertEquals("no-referrer", file.header("referrer-policy"));
      assertEquals("same-origin", file.header("cross-origin-opener-policy"));
      String policy = file.header("content-security-policy");
      assertTrue(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
      assertFalse(policy.contains("unsafe") || policy.contains("http"), policy);
      String tag = file.header("etag");
      RawClient.Response known = get(path, "If-None-Match: \"a\", W/" + tag + "\r\n");
      assertEquals(304, known.status());
      assertEquals(tag, known.header("etag"));
      assertEquals("", known.body());
      assertEquals(200, get(path, "If-None-Match: \"a\"\r\n").status());
    }
  }

  @Test
  void withoutASlashThePageIsOneStepAway() throws Exception {
    HttpResponse<String> sent = server.send(server.request("/ui"));
    assertEquals(302, sent.statusCode());
    assertEquals("ui/", sent.headers().firstValue("Location").orElse(""));
  }

  @Test
  void headTellsTheLengthOfAFile() throws Exception {
    int length = server.sendForBytes(server.request("/ui/uPlot.iife.min.js")).body().length;
    assertTrue(length > 16 << 10, "long enough to be sent in pieces");
    try (RawClient client = server.connect()) {
      RawClient.Response head =
          client.request("HEAD", "/ui/uPlot.iife.min.js").receiveWithoutBody();
      assertEquals(Integer.toString(length), head.header("content-length"));
      assertEquals(200, client.request("GET", "/livez").receive().status());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/ui/nothing.js",
        "/ui/../v1/status",
        "/ui/%2e%2e/openapi.json",
        "/ui/page/index.html",
        "/ui//",
        "/ui/index%2Ehtml",
        "/ui/../UiFile.class",
        "/ui/LICENSE"
      })
  void onlyTheFilesOfThePageAreServed(String path) throws Exception {
    RawClient.Response refused = get(path, "");
    assertEquals(404, refused.status());
    assertEquals("no_such_route", ServerUnderTest.code(refused.body()));
  }

  @Test
  void everyFileThatThePageLoadsIsServedFromHere() throws Exception {
    Set<String> seen = new TreeSet<>();
    load("index.html", seen);
    assertTrue(seen.containsAll(Set.of("main.js", "page.css", "icon.svg")), seen::toString);
  }

  private void load(String file, Set<String> seen) throws Exception {
    if (!seen.add(file)) {
      return;
    }
    RawClient.Response loaded = get("/ui/" + file, "");
    assertEquals(200, loaded.status(), file);
    if (!file.startsWith("uPlot")) {
      Matcher reference = LOADED.matcher(loaded.body());
      while (reference.find()) {
        String name = reference.group(1) == null ? reference.group(2) : reference.group(1);
        if (!name.startsWith("#")) {
          load(name, seen);
        }
      }
    }
  }

  @Test
  void theFilesNeedNoTokenAndTheDataDoes() throws Exception {
    reopen(
        ServerUnderTest.openTo(
            Authorizer.withTokens(Tokens.parse("read 0123456789abcdef0123456789abcdef"))));
    assertEquals(200, get("/ui/", "").status());
    assertEquals(302, get("/", "Accept: text/html\r\n").status());
    assertEquals(401, get("/v1/status", "").status());
  }

  @Test
  void aNameThatIsNotTheServersGetsNoPage() throws Exception {
    reopen(ServerUnderTest.openTo(Authorizer.open(AllowedHosts.named(Set.of()))));
    try (RawClient client = server.connect()) {
      assertEquals(421, client.request("GET", "/ui/").receive().status()); // calls it "test"
    }
    assertEquals(200, get("/ui/", "").status());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/ui", "/ui/", "/ui/main.js"})
  void aServerWithoutThePageHasNoSuchRoute(String path) throws Exception {
    reopen(withoutPage());
    RawClient.Response refused = get(path, "Accept: " + OF_CHROMIUM + "\r\n");
    assertEquals(404, refused.status());
    assertEquals("no_such_route", ServerUnderTest.code(refused.body()));
  }
}
