package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys and values that would like to be more than data. They are shown, and never run. */
final class UiHostileEntriesTest extends BrowserScene {
  private static final List<String> MARKUP =
      List.of(
          "<script>window.hacked = 1</script>",
          "<img src=x onerror='window.hacked = 1'>",
          "<svg xmlns='http://www.w3.org/2000/svg' onload='hacked ="
              + " 1'><script>hacked=1</script></svg>",
          "\"><iframe src='javascript:parent.hacked = 1'></iframe>",
          "</pre></textarea><a href='javascript:hacked = 1' autofocus onfocus='hacked = 1'>x</a>",
          "{{constructor.constructor('hacked = 1')()}}${hacked = 1}`",
          "__proto__",
          "' onclick='hacked = 1");

  UiHostileEntriesTest(@TempDir Path folder) throws Exception {
    super(folder);
  }

  private void put(String key, String type, byte[] value) throws Exception {
    HttpResponse<String> answer =
        server.send(
            server
                .request("/v1/kv/" + ServerUnderTest.escaped(key))
                .header("Content-Type", type)
                .PUT(BodyPublishers.ofByteArray(value)));
    assertTrue(answer.statusCode() < 300, answer::body);
  }

  private void open(String key) throws Exception {
    run("location.hash = '#keys?key=' + encodeURIComponent(" + BrowserTab.quoted(key) + ")");
  }

  private String shown() {
    return tab.text("document.getElementById('value').innerText");
  }

  private void assertNothingRan() {
    assertEquals("", tab.text("window.hacked === undefined ? '' : 'hacked'"));
    String foreign = "#content script, #content img, #content svg, #content iframe, #content style";
    assertEquals(0, tab.eval("document.querySelectorAll('" + foreign + "').length").getAsInt());
    String links = "[...document.links].every(a => a.protocol === 'http:')";
    assertTrue(tab.eval(links).getAsBoolean());
  }

  @Test
  void markupInKeysAndValuesIsText() throws Exception {
    look("#keys?delimiter=");
    for (String type : List.of("text/html", "image/svg+xml", "application/json", "text/plain")) {
      for (String markup : MARKUP) {
        put(markup, type, markup.getBytes(UTF_8));
      }
      for (String markup : MARKUP) {
        open(markup);
        tab.awaitText("#entry h3", markup);
        tab.awaitText("#entry .facts", type);
        tab.awaitText("#value", markup);
      }
      assertNothingRan();
    }
    run("location.hash = '#keys'");
    tab.awaitText("#count", "8 keys");
    assertNothingRan();
  }

  @Test
  void markupInChangesIsText() throws Exception {
    look("#changes");
    tab.click("#watch-toggle");
    tab.awaitText("#watch-state", "no change yet");
    for (String markup : MARKUP) {
      put(markup, "text/html", markup.getBytes(UTF_8));
    }
    tab.awaitText("#watch-state", MARKUP.size() + " changes");
    for (String markup : MARKUP) {
      tab.awaitText("#watch-rows .key", markup);
      tab.awaitText("#watch-rows .preview", markup);
    }
    assertNothingRan();
  }

  @Test
  void thePolicyForbidsWhatThePageNeverDoes() throws Exception {
    look("");
    assertEquals(
        "TypeError",
        tab.text(
            "(() => { try { document.body.innerHTML = '<b>'; } catch (e) { return e.name; } })()"));
    assertEquals("null", tab.text("fetch('http://127.0.0.2:1/').then(() => 'sent', () => 'null')"));
    String inline =
        "(() => { const s = document.createElement('script'); s.append('window.hacked = 1');"
            + " document.body.append(s); return String(window.hacked); })()";
    assertEquals("undefined", tab.text("try { " + inline + " } catch (e) { 'undefined' }"));
    tab.forgetErrors(); // each refusal is in the console
  }

  @Test
  void charactersThatNobodySeesAreLabelled() throws Exception {
    String key = "invoice\u202egnp.exe\u200b\t\u0000";
    put(key, "text/plain", "a\u202eb\u2066\u2066\r\nc\td\u0000\u0000\u0000\ufeff".getBytes(UTF_8));
    put("\u05e9\u05dc\u05d5\u05dd", "text/plain", "\u05e9\u05dc\u05d5\u05dd 123".getBytes(UTF_8));
    look("#keys");
    tab.awaitText("#key-list", "invoiceU+202Egnp.exeU+200BU+0009U+0000");
    open(key);
    tab.awaitText("#entry h3", "invoiceU+202Egnp.exeU+200BU+0009U+0000");
    assertEquals("aU+202EbU+2066×2\nc\tdU+0000×3U+FEFF", shown().replace("\r", ""));
    open("\u05e9\u05dc\u05d5\u05dd");
    tab.awaitText("#value", "\u05e9\u05dc\u05d5\u05dd 123");
    tab.awaitText("#entry h3 bdi", "\u05e9\u05dc\u05d5\u05dd");
  }

  @Test
  void keysThatUrlsTreatSpeciallyAreReached() throws Exception {
    look("#keys?delimiter=");
    List<String> keys = List.of(".", "..", "a/../b//", "a?b#c%2F+d;e=\\", "k".repeat(1024));
    for (String key : keys) {
      tab.click("#new-entry");
      tab.type("#put-key", key);
      tab.type("#put-value", "value of " + key);
      tab.send("#put-form");
      tab.awaitText("#value", "value of " + key);
      assertEquals("value of " + key, server.map.get(key));
      tab.click("#entry .actions button:nth-child(2)");
      tab.type("#extend-life", "100");
      tab.send("#extend-form");
      tab.awaitText("#entry .facts", "in 1 min");
    }
    assertEquals(keys.size(), server.map.size());
    for (String key : keys) {
      open(key);
      tab.awaitText("#value", "value of " + key);
      tab.click("#entry .danger");
      tab.send("#delete-form");
      tab.awaitText("#entry", "Choose a key");
    }
    assertEquals(0, server.map.size());
  }

  @Test
  void bytesThatAreNoTextAreHex() throws Exception {
    byte[] bytes = new byte[5000];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 7);
    }
    put("bytes", "text/html;charset=utf-8", bytes);
    put("overlong", "text/plain", new byte[] {(byte) 0xc0, (byte) 0xaf, '<', 'b', '>'});
    put("empty", "image/png", new byte[0]);
    look("#keys?key=bytes");
    tab.awaitText("#entry .tabs", "Not UTF-8");
    tab.awaitText(
        "#value", "00000000  00 07 0e 15 1c 23 2a 31  38 3f 46 4d 54 5b 62 69  ·····#*18?FMT[bi");
    tab.awaitText("#value", "4 KiB of 4.88 KiB shown");
    tab.click("#value button");
    tab.awaitText("#value", "00001380");
    assertEquals(
        "Hex", tab.text("document.querySelector('.tabs').querySelector('button').textContent"));
    open("overlong");
    tab.awaitText("#value", "00000000  c0 af 3c 62 3e");
    open("empty");
    tab.awaitText("#value", "The value is empty.");
    assertNothingRan();
  }

  @Test
  void aMebibyteOfAnythingIsShownPieceByPiece() throws Exception {
    int length = 1 << 20;
    put("tags", "text/html", "<b>".repeat(length / 3).getBytes(UTF_8));
    put("controls", "text/plain", "\u0001\u0002".repeat(length / 2).getBytes(UTF_8));
    put(
        "nested",
        "application/json",
        ("[".repeat(length / 2) + "]".repeat(length / 2)).getBytes(UTF_8));
    put("digits", "application/json", "1".repeat(length).getBytes(UTF_8));
    look("#keys");
    for (String key : List.of("tags", "controls", "nested", "digits")) {
      open(key);
      tab.awaitText("#entry h3", key);
      tab.awaitText("#value", "Show more: 32,768 characters of 1,048,57");
    }
    assertNothingRan();
  }

  @Test
  void aPictureIsPixelsAndNothingElse() throws Exception {
    BufferedImage image = new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB);
    image.setRGB(3, 4, 0xff8000);
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, "png", png));
    byte[] bomb = png.toByteArray();
    ByteBuffer.wrap(bomb).putInt(16, 60_000).putInt(20, 60_000);
    put("picture", "text/plain", png.toByteArray()); // whatever its writer calls it
    put("bomb", "image/png", bomb);
    put("broken", "image/gif", "GIF89a\u0001\u0000\u0001\u0000".getBytes(UTF_8));
    put("svg", "image/svg+xml", MARKUP.get(2).getBytes(UTF_8));
    look("#keys?key=picture");
    tab.awaitText("#value", "image/png, 30 × 20");
    tab.await("document.querySelector('#value canvas')");
    String pixel =
        "[...document.querySelector('#value canvas').getContext('2d').getImageData(3, 4, 1,"
            + " 1).data]";
    assertEquals("255,128,0,255", tab.text(pixel + ".join()"));
    open("bomb");
    tab.awaitText("#value", "image/png, 60,000 × 60,000");
    tab.awaitText("#value", "It is too large to be shown here.");
    open("broken");
    tab.awaitText("#value", "the browser cannot decode it");
    open("svg");
    tab.awaitText("#value", MARKUP.get(2));
    assertNothingRan();
  }
}
