package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import io.pensieve.server.http.protocol.SizeLimits;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server and a tab that looks at it, of one browser for a class. Each scene ends with a look at
 * the console, and at where requests went. Where no browser is installed, it is skipped.
 */
abstract class BrowserScene {
  private static @Nullable Browser browser;

  final ServerUnderTest server;
  final BrowserTab tab;
  final String url;

  BrowserScene(Path folder) throws Exception {
    if (browser == null) {
      throw new AssertionError("started before all");
    }
    server = ServerUnderTest.over(folder, SizeLimits.defaults());
    url = urlOf(server);
    tab = browser.open();
  }

  @BeforeAll
  static void startBrowser(@TempDir Path folder) throws Exception {
    browser = Browser.startIfInstalled(folder);
  }

  @AfterAll
  static void closeBrowser() {
    if (browser != null) {
      browser.close();
      browser = null;
    }
  }

  static String urlOf(ServerUnderTest server) {
    return "http://127.0.0.1:" + server.http.address().getPort();
  }

  @AfterEach
  void nothingWentWrongAndNothingCameFromElsewhere() {
    List<String> requested = tab.requested();
    tab.close();
    server.close();
    assertEquals(List.of(), tab.errorsOfPage());
    assertEquals(
        List.of(),
        requested.stream().filter(asked -> !asked.startsWith("http://127.0.0.1:")).toList());
  }

  /** Opens the page, at this view. */
  void look(String hash) throws Exception {
    tab.go(url + "/ui/" + hash);
    tab.awaitText("#connection", "Live");
  }

  /** Runs a script for what it does. */
  void run(String script) {
    JsonElement unused = tab.eval(script);
  }
}
