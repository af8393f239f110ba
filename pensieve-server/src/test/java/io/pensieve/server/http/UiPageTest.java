package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Versioned;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import io.pensieve.server.http.value.StoredValue;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser: what a person does there, and what comes of it at the server. */
final class UiPageTest extends BrowserScene {
  private static final String READ = "read-0123456789abcdef";
  private static final String WRITE = "write-0123456789abcdef";

  UiPageTest(@TempDir Path folder) throws Exception {
    super(folder);
  }

  @Test
  void aBrowserAtTheRootSeesTheServerLiveAndNoErrorAtAll() throws Exception {
    server.put("a", "b");
    assertEquals("b", server.get("a"));
    tab.go(url + "/");
    tab.awaitText("#connection", "Live");
    tab.awaitText("#tile-entries", "1");
    tab.awaitText("#tile-entries", "of 10,000");
    tab.awaitText("#tile-hits", "100 % of all so far");
    tab.awaitText("#tile-log", "sound, process-death");
    tab.awaitText("#routes", "/get/{key}");
    tab.awaitText("#peers", "this node is alone");
    assertEquals(url + "/ui/", tab.text("location.href"));
    assertEquals(List.of(), tab.errors());
  }

  @Test
  void thePlotsMoveWithWhatThePagePuts() throws Exception {
    look("");
    tab.awaitText("#plot-entries .legend", "held 0");
    tab.await("document.querySelector('#plot-entries canvas')");
    String before = tab.text(pixels());
    look("#keys");
    tab.click("#new-entry");
    tab.type("#put-key", "foo");
    tab.type("#put-value", "bar");
    tab.press("Tab");
    tab.send("#put-form");
    tab.awaitText("#entry", "foo");
    assertEquals("bar", server.map.get("foo"));
    tab.click("[data-view=overview]");
    tab.awaitText("#plot-entries .legend", "held 1");
    assertNotEquals(before, tab.text(pixels()));
    tab.awaitText("#plot-entries figcaption", "Entries. held: 1 now, from 0 to 1.");
    tab.await("document.querySelector('#tile-latency .value').textContent.endsWith('s')");
  }

  private static String pixels() {
    return "document.querySelector('#plot-entries canvas').toDataURL()";
  }

  @Test
  void anEntryIsPutShownExtendedEditedAndDeleted() throws Exception {
    look("#keys");
    tab.awaitText("#count", "No keys yet");
    tab.click("#new-entry");
    tab.type("#put-key", "user/1");
    tab.type("#put-type", "application/json");
    tab.type("#put-life", "90");
    tab.type("#put-value", "{\"big\":12345678901234567890,\"a\":[]}");
    tab.send("#put-form");
    tab.awaitText("#value", "{\n  \"big\": 12345678901234567890,\n  \"a\": []\n}");
    tab.awaitText("#entry .facts", "application/json");
    tab.awaitText("#entry .facts", "in 1 min 2");
    tab.awaitText("#key-list", "user/");
    Versioned<StoredValue> put = entry("user/1");
    assertEquals("application/json", put.value().type());

    tab.click("#entry .actions button:nth-child(2)");
    tab.type("#extend-life", "2");
    run("document.getElementById('extend-unit').value = 'd'");
    tab.send("#extend-form");
    tab.awaitText("#entry .facts", "in 1 d 23 h");
    Duration rest = entry("user/1").remaining(Instant.now()).orElseThrow();
    assertTrue(rest.compareTo(Duration.ofHours(47)) > 0, rest::toString);
    assertEquals(put.value().text(), entry("user/1").value().text());

    tab.click("#entry .actions button");
    tab.type("#put-value", "plain");
    tab.type("#put-life", "");
    tab.send("#put-form");
    tab.awaitText("#value", "plain");
    tab.awaitText("#entry .facts", "never");
    assertEquals("plain", server.map.get("user/1"));

    tab.click("#entry .danger");
    tab.send("#delete-form");
    tab.awaitText("#count", "No keys yet");
    assertFalse(server.map.containsKey("user/1"));
  }

  private Versioned<StoredValue> entry(String key) {
    Versioned<StoredValue> entry = server.entries.getVersioned(key);
    if (entry == null) {
      throw new AssertionError("no entry " + key);
    }
    return entry;
  }

  @Test
  void nobodyOverwritesWhatSomebodyElseHasWritten() throws Exception {
    server.map.put("k", "seen");
    look("#keys?key=k");
    tab.awaitText("#value", "seen");
    server.map.put("k", "newer");
    tab.click("#entry .actions button");
    tab.type("#put-value", "mine");
    tab.sendInVain("#put-form", "Somebody has changed the entry meanwhile");
    tab.press("Escape");
    tab.click("#entry .danger");
    tab.sendInVain("#delete-form", "Somebody has changed the entry meanwhile");
    tab.press("Escape");
    tab.click("#new-entry");
    tab.type("#put-key", "k");
    tab.sendInVain("#put-form", "There is an entry of this key already");
    assertEquals("newer", server.map.get("k"));
  }

  @Test
  void keysComeByFolderAndByPage() throws Exception {
    for (int i = 0; i < 250; i++) {
      server.map.put("a/%03d".formatted(i), "");
    }
    server.map.put("b", "");
    look("#keys");
    tab.awaitText("#count", "251 keys");
    assertEquals("a/ b", names());
    tab.click("#key-list .folder");
    tab.awaitText("#count", "250 keys with this prefix");
    tab.awaitText("#page-number", "Page 1");
    tab.click("#next");
    tab.awaitText("#page-number", "Page 2");
    tab.awaitText("#key-list", "199");
    tab.click("#next");
    tab.awaitText("#page-number", "Page 3");
    tab.await("!document.getElementById('next').checkVisibility()");
    assertTrue(names().startsWith("200 201") && names().endsWith("249"), this::names);
    tab.click("#previous");
    tab.awaitText("#page-number", "Page 2");
    tab.awaitText("#key-list", "100");
    run("history.back()");
    tab.awaitText("#count", "251 keys");
    tab.type("#delimiter", "");
    tab.click("#prefix-form button");
    tab.awaitText("#key-list", "a/099");
  }

  private String names() {
    return tab.text(
        "[...document.querySelectorAll('#key-list .key')].map(e => e.textContent).join(' ')");
  }

  @Test
  void changesOfAPrefixAreALiveList() throws Exception {
    look("#changes");
    tab.type("#watch-prefix", "w/");
    tab.click("#watch-toggle");
    tab.awaitText("#watch-state", "no change yet");
    Await.until("it watches", () -> server.http.routeTable().watchersCaughtUp() == 1);
    server.map.put("other", "x");
    server.map.put("w/1", "<b>one</b>");
    server.map.put("w/2", "two");
    server.delete("w/1");
    tab.awaitText("#watch-state", "3 changes");
    assertEquals(
        "− delete w/1|+ put w/2 two|+ put w/1 <b>one</b>",
        tab.text(
            "[...document.querySelectorAll('#watch-rows tr')].map(row => [1, 2, 5]"
                + ".map(i => row.cells[i].textContent).join(' ').trim()).join('|')"));
    tab.click("#watch-rows a"); // of w/2
    tab.awaitText("#value", "two");
    tab.click("[data-view=changes]");
    tab.click("#watch-toggle");
    tab.awaitText("#watch-state", "Stopped after 3 changes");
  }

  @Test
  void aTokenIsAskedForAndStaysInTheTab() throws Exception {
    Tokens tokens = Tokens.parse("read " + READ + "\nwrite " + WRITE);
    try (ServerUnderTest closed =
        new ServerUnderTest(
            io.pensieve.log.Log.inMemory(100),
            ServerUnderTest.openTo(Authorizer.withTokens(tokens)),
            Cluster.alone(1))) {
      tab.go(urlOf(closed) + "/ui/#keys");
      tab.awaitText("#token-dialog", "asks for a token");
      tab.type("#token", "wrong-0123456789abcdef");
      tab.press("Enter");
      tab.awaitText("#token-problem", "not Bearer and a token known here");
      tab.type("#token", READ);
      tab.press("Enter");
      tab.awaitText("#connection", "Live");
      tab.awaitText("#count", "No keys");
      assertEquals(READ, tab.text("Object.values(sessionStorage).join()"));
      assertEquals("", tab.text("Object.values(localStorage).join() + document.cookie"));

      tab.click("#new-entry");
      tab.type("#put-key", "k");
      tab.sendInVain("#put-form", "this needs a token to write, and this one is to read");
      tab.press("Escape");
      tab.click("#token-button");
      tab.type("#token", WRITE);
      tab.press("Enter");
      tab.await("!document.getElementById('token-dialog').open");
      tab.click("#new-entry");
      tab.type("#put-key", "k");
      tab.send("#put-form");
      tab.awaitText("#entry", "The value is empty");
      assertEquals("", closed.map.get("k"));

      tab.click("[data-view=changes]");
      tab.click("#watch-toggle");
      Await.until("it watches", () -> closed.http.routeTable().watchersCaughtUp() == 1);
      tab.click("#watch-toggle");
      assertFalse(tab.requested().stream().anyMatch(asked -> asked.contains("0123456789abcdef")));
      tab.go("about:blank");
      tab.await("location.href === 'about:blank'");
    }
  }

  @Test
  void aStoppedServerIsSeenAndSoIsItsReturn() throws Exception {
    look("");
    tab.offline(true);
    tab.awaitText("#connection", "No answer");
    tab.awaitText("#lost", "The server does not answer");
    tab.offline(false);
    tab.awaitText("#connection", "Live");
    tab.await("document.getElementById('lost') === null");
    server.http.close();
    tab.awaitText("#connection", "No answer");
    tab.awaitText("#lost", "The server does not answer. What you see is from before");
    tab.click("[data-view=keys]");
    tab.awaitText("#count", "The server does not answer.");
    tab.click("[data-view=changes]");
    tab.click("#watch-toggle");
    tab.awaitText("#watch-state", "The server does not answer. Trying again");
  }

  @Test
  void aTabThatNobodySeesAsksForNothing() throws Exception {
    tab.beforeEachPage(
        "window.asked = 0; window.answered = 0; const real = fetch; window.fetch = async (...a) =>"
            + " { asked++; try { return await real(...a); } finally { answered++; } };");
    look("#changes");
    tab.click("#watch-toggle");
    tab.awaitText("#watch-state", "no change yet");
    hide(true);
    tab.await("asked === answered");
    int asked = tab.eval("asked").getAsInt();
    run("new Promise(resolve => setTimeout(resolve, 2500))"); // a period and some more
    assertEquals(asked, tab.eval("asked").getAsInt());
    server.map.put("meanwhile", "x");
    hide(false);
    tab.await("asked > " + asked);
    server.map.put("then", "y");
    tab.awaitText("#watch-rows", "then");
    tab.awaitText("#watch-rows", "meanwhile");
    tab.awaitText("#watch-state", "2 changes");
  }

  private void hide(boolean hidden) {
    run(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => "
            + hidden
            + "}); document.dispatchEvent(new Event('visibilitychange'))");
  }

  @Test
  void aLongValueIsReadWhenItIsAskedFor() throws Exception {
    byte[] value = "x".repeat(3 << 20).getBytes(UTF_8);
    var put = server.request("/v1/kv/long").PUT(BodyPublishers.ofByteArray(value));
    assertEquals(201, server.send(put.header("Content-Type", "text/plain")).statusCode());
    look("#keys?key=long");
    tab.awaitText("#entry", "3 MiB (3,145,728 bytes)");
    tab.awaitText("#entry", "was not read");
    tab.click("#entry .value-box button");
    tab.awaitText("#value", "32,768 characters of 3,145,728 characters shown");
    tab.click("#value button");
    tab.awaitText("#value", "65,536 characters of 3,145,728 characters shown");
  }
}
