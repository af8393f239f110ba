package io.pensieve.server.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;

/** A tab of a {@link Browser}: what a person does in it, what is seen there, what goes wrong. */
final class BrowserTab implements AutoCloseable {
  private static final long POLL_NANOS = 10_000_000; // each look is a script in the page
  private static final int HEIGHT = 900;
  private static final Map<String, Integer> KEY_CODES =
      Map.of("Tab", 9, "Enter", 13, "Escape", 27, "Delete", 46, "ArrowRight", 39, "ArrowDown", 40);

  private static final Set<String> NAMED_ROLES =
      Set.of(
          "button",
          "link",
          "textbox",
          "combobox",
          "spinbutton",
          "tab",
          "meter",
          "dialog",
          "region",
          "navigation",
          "image",
          "img",
          "table",
          "heading");

  private final BiFunction<String, JsonObject, JsonObject> devTools;
  private final Runnable onClose;
  private final List<String> errors = new CopyOnWriteArrayList<>();
  private final List<String> requested = new CopyOnWriteArrayList<>();
  // Files of the page that did not come, because the machine's network has changed.
  private final AtomicInteger filesLost = new AtomicInteger();

  BrowserTab(BiFunction<String, JsonObject, JsonObject> devTools, Runnable onClose) {
    this.devTools = devTools;
    this.onClose = onClose;
  }

  private JsonObject call(String method, JsonObject parameters) {
    return devTools.apply(method, parameters);
  }

  private static JsonObject with(Object... namesAndValues) {
    JsonObject object = new JsonObject();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      Object value = namesAndValues[i + 1];
      JsonElement element =
          value instanceof JsonElement json
              ? json
              : value instanceof Number number
                  ? new JsonPrimitive(number)
                  : value instanceof Boolean bool
                      ? new JsonPrimitive(bool)
                      : new JsonPrimitive(value.toString());
      object.add(namesAndValues[i].toString(), element);
    }
    return object;
  }

  void begin() {
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      JsonObject unused = call(domain + ".enable", with());
    }
    size(1280);
  }

  /** Takes notes of what goes wrong, and of what is loaded. */
  void onEvent(JsonObject event) {
    JsonObject about = event.getAsJsonObject("params");
    switch (event.get("method").getAsString()) {
      case "Runtime.exceptionThrown" -> errors.add(about.get("exceptionDetails").toString());
      case "Runtime.consoleAPICalled" -> {
        String type = about.get("type").getAsString();
        if (type.equals("error") || type.equals("warning") || type.equals("assert")) {
          errors.add(about.get("args").toString());
        }
      }
      case "Log.entryAdded" -> onLogEntry(about.getAsJsonObject("entry"));
      case "Page.javascriptDialogOpening" -> errors.add("dialog: " + about.get("message"));
      case "Network.requestWillBeSent" ->
          requested.add(about.getAsJsonObject("request").get("url").getAsString());
      default -> {}
    }
  }

  // Tests with network namespaces make and drop interfaces; a browser then drops connections. That
  // is no fault of the page, which asks again; what it is made of is loaded again by go().
  private void onLogEntry(JsonObject entry) {
    String text = entry.get("text").getAsString();
    String about = entry.has("url") ? entry.get("url").getAsString() : "";
    if (text.contains("ERR_NETWORK_CHANGED")) {
      filesLost.addAndGet(about.contains("/ui/") ? 1 : 0);
    } else if (!entry.get("level").getAsString().equals("verbose")) {
      errors.add(entry.get("source").getAsString() + ": " + text + " " + about);
    }
  }

  /** Returns what the console has shown as a warning or an error, and what was thrown. */
  List<String> errors() {
    return List.copyOf(errors);
  }

  /** Forgets them. */
  void forgetErrors() {
    errors.clear();
  }

  /**
   * Returns the same without the lines that every browser writes about an answer that is an error,
   * or that does not come.
   */
  List<String> errorsOfPage() {
    return errors.stream()
        .filter(error -> !error.startsWith("network: Failed to load resource"))
        .toList();
  }

  /** Returns the URLs of all requests. */
  List<String> requested() {
    return List.copyOf(requested);
  }

  /** Goes to a URL, and waits until all of its files are there. */
  void go(String url) throws Exception {
    boolean isWhole;
    do {
      int lost = filesLost.get();
      boolean isReached = !call("Page.navigate", with("url", url)).has("errorText");
      await("document.readyState === 'complete'");
      isWhole = isReached && filesLost.get() == lost;
    } while (!isWhole);
  }

  /** Runs a script before those of each page that follows. */
  void beforeEachPage(String script) {
    JsonObject unused = call("Page.addScriptToEvaluateOnNewDocument", with("source", script));
  }

  void size(int width) {
    size(width, HEIGHT);
  }

  void size(int width, int height) {
    JsonObject unused =
        call(
            "Emulation.setDeviceMetricsOverride",
            with("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /** Has the system prefer {@code dark} or {@code light}. */
  void scheme(String name) {
    JsonArray features = new JsonArray();
    features.add(with("name", "prefers-color-scheme", "value", name));
    JsonObject unused = call("Emulation.setEmulatedMedia", with("features", features));
  }

  /** Cuts the tab off from all servers, or lets it reach them again. */
  void offline(boolean isOffline) {
    JsonObject unused =
        call(
            "Network.emulateNetworkConditions",
            with(
                "offline",
                isOffline,
                "latency",
                0,
                "downloadThroughput",
                -1,
                "uploadThroughput",
                -1));
  }

  /** Returns what an expression, or its promise, comes to. */
  JsonElement eval(String expression) {
    JsonObject result =
        call(
            "Runtime.evaluate",
            with("expression", expression, "awaitPromise", true, "returnByValue", true));
    if (result.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + result.get("exceptionDetails"));
    }
    JsonElement value = result.getAsJsonObject("result").get("value");
    return value == null ? JsonNull.INSTANCE : value;
  }

  String text(String expression) {
    JsonElement value = eval(expression);
    return value.isJsonNull() ? "" : value.getAsString();
  }

  /** Waits until an expression is true; it is not while a page is being loaded. */
  void await(String expression) throws Exception {
    try {
      Await.until(expression, () -> isTrue(expression), POLL_NANOS);
    } catch (AssertionError never) {
      throw new AssertionError(never.getMessage() + "\n" + errors + "\n" + seen(), never);
    }
  }

  private boolean isTrue(String expression) {
    JsonObject result =
        call(
            "Runtime.evaluate",
            with("expression", "!!(" + expression + ")", "returnByValue", true));
    JsonElement value = result.getAsJsonObject("result").get("value");
    return value != null && value.isJsonPrimitive() && value.getAsBoolean();
  }

  private String seen() {
    return text("document.body?.innerText");
  }

  /** Waits until a part of the page is shown that contains this text. */
  void awaitText(String selector, String text) throws Exception {
    await(
        "[...document.querySelectorAll("
            + quoted(selector)
            + ")].some(e => e.checkVisibility() && e.textContent.includes("
            + quoted(text)
            + "))");
  }

  static String quoted(String text) {
    return new JsonPrimitive(text).toString();
  }

  private static String first(String selector) {
    return "document.querySelector(" + quoted(selector) + ")";
  }

  /** Clicks with the mouse, in the middle of what is there. */
  void click(String selector) throws Exception {
    await(first(selector) + "?.checkVisibility()");
    JsonObject at =
        eval("(() => { const e = "
                + first(selector)
                + "; e.scrollIntoView({block: 'center', behavior: 'instant'});"
                + " const r = e.getBoundingClientRect();"
                + " return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()")
            .getAsJsonObject();
    for (String type : List.of("mousePressed", "mouseReleased")) {
      JsonObject unused =
          call(
              "Input.dispatchMouseEvent",
              with(
                  "type",
                  type,
                  "x",
                  at.get("x"),
                  "y",
                  at.get("y"),
                  "button",
                  "left",
                  "clickCount",
                  1));
    }
  }

  /** Sends the form of a dialog, which then closes. */
  void send(String form) throws Exception {
    send(form, "!" + first(form) + ".closest('dialog').open");
  }

  /** Sends the form of a dialog, which then says this. */
  void sendInVain(String form, String problem) throws Exception {
    send(form, first(form) + ".innerText.includes(" + quoted(problem) + ")");
  }

  private void send(String form, String isDone) throws Exception {
    String unanswered = first(form) + ".innerText.includes('does not answer')";
    do {
      click(form + " button[type=submit]");
      await(isDone + " || " + unanswered);
    } while (!isTrue(isDone)); // the machine's network has changed
  }

  /** Types a text into a field, in place of what it has. */
  void type(String selector, String text) throws Exception {
    await(first(selector) + "?.checkVisibility()");
    JsonElement unused = eval("(e => { e.focus(); e.select(); })(" + first(selector) + ")");
    if (text.isEmpty()) {
      press("Delete");
    } else {
      JsonObject unusedAnswer = call("Input.insertText", with("text", text));
    }
  }

  /** Presses a key and releases it. */
  void press(String key) {
    JsonObject event = with("key", key, "code", key);
    Integer code = KEY_CODES.get(key);
    if (code != null) {
      event.addProperty("windowsVirtualKeyCode", code);
    }
    if (key.equals("Enter")) {
      event.addProperty("text", "\r");
    }
    event.addProperty("type", key.equals("Enter") ? "keyDown" : "rawKeyDown");
    JsonObject unused = call("Input.dispatchKeyEvent", event);
    event.remove("text");
    event.addProperty("type", "keyUp");
    JsonObject unusedAnswer = call("Input.dispatchKeyEvent", event);
  }

  /** Returns what a screen reader finds no name for, of all that a person can operate. */
  List<String> controlsWithoutName() {
    List<String> nameless = new ArrayList<>();
    JsonArray nodes = call("Accessibility.getFullAXTree", with()).getAsJsonArray("nodes");
    for (JsonElement each : nodes) {
      JsonObject node = each.getAsJsonObject();
      boolean isSeen = !node.get("ignored").getAsBoolean() && node.has("role");
      String role = isSeen ? node.getAsJsonObject("role").get("value").getAsString() : "";
      JsonObject name = node.getAsJsonObject("name");
      boolean hasName = name != null && !name.get("value").getAsString().isBlank();
      if (NAMED_ROLES.contains(role) && !hasName) {
        nameless.add(node.toString());
      }
    }
    return nameless;
  }

  /** Returns what is seen, as a PNG. */
  byte[] picture() {
    JsonObject picture = call("Page.captureScreenshot", with("format", "png"));
    return Base64.getDecoder().decode(picture.get("data").getAsString());
  }

  @Override
  public void close() {
    onClose.run();
  }
}
