package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A Chromium without a window, driven over its DevTools protocol, through one web socket for all
 * its tabs. Its profile is in a folder of its own.
 */
final class Browser implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
  private static final List<String> FLAGS =
      List.of(
          "--headless=new",
          "--no-sandbox", // which root cannot have; it only ever sees this server
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-extensions",
          "--disable-sync",
          "--no-first-run",
          "--hide-scrollbars",
          "--force-color-profile=srgb",
          "--lang=en-US",
          "--remote-debugging-port=0");
  private static final long PATIENCE_SECONDS = ServerUnderTest.PATIENCE.toSeconds();

  private final Process process;
  private final WebSocket socket;
  private final AtomicLong ids = new AtomicLong();
  private final Map<Long, CompletableFuture<JsonObject>> calls = new ConcurrentHashMap<>();
  private final Map<String, Consumer<JsonObject>> sessions = new ConcurrentHashMap<>();

  private Browser(Process process, URI devTools) {
    this.process = process;
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(devTools, new Messages())
            .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
            .join();
  }

  /**
   * Returns the program, if one is installed: that which {@code CHROMIUM} names, or on the path.
   */
  static Optional<Path> installed() {
    String chosen = System.getenv("CHROMIUM");
    if (chosen != null) {
      return Optional.of(Path.of(chosen));
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return NAMES.stream()
        .flatMap(name -> Stream.of(path.split(File.pathSeparator, -1)).map(at -> Path.of(at, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Starts it, with its profile and what it prints in this folder. */
  static Browser start(Path program, Path folder) throws Exception {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(FLAGS);
    Path profile = folder.resolve("profile");
    command.addAll(List.of("--user-data-dir=" + profile, "about:blank"));
    Path printed = folder.resolve("chromium.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    try {
      Path port = profile.resolve("DevToolsActivePort");
      Await.until(
          "the browser listens",
          () -> {
            if (!process.isAlive()) {
              throw new AssertionError("it ended: " + Files.readString(printed));
            }
            return Files.exists(port) && Files.readString(port).lines().count() == 2;
          });
      List<String> lines = Files.readAllLines(port, UTF_8);
      return new Browser(process, URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1)));
    } catch (Exception | Error notStarted) {
      end(process);
      throw notStarted;
    }
  }

  /** Starts the one that is installed; where none is, the test is skipped and says so. */
  static Browser startIfInstalled(Path folder) throws Exception {
    Optional<Path> program = installed();
    assumeTrue(program.isPresent(), "skipped: no browser is installed, of " + NAMES);
    return start(program.orElseThrow(), folder);
  }

  /** Opens an empty tab that shares nothing with other tabs. */
  BrowserTab open() {
    String context =
        call("", "Target.createBrowserContext", new JsonObject())
            .get("browserContextId")
            .getAsString();
    JsonObject target = new JsonObject();
    target.addProperty("url", "about:blank");
    target.addProperty("browserContextId", context);
    String id = call("", "Target.createTarget", target).get("targetId").getAsString();
    JsonObject attach = new JsonObject();
    attach.addProperty("targetId", id);
    attach.addProperty("flatten", true);
    String session = call("", "Target.attachToTarget", attach).get("sessionId").getAsString();
    JsonObject dispose = new JsonObject();
    dispose.addProperty("browserContextId", context);
    BrowserTab tab =
        new BrowserTab(
            (method, parameters) -> call(session, method, parameters),
            () -> {
              sessions.remove(session);
              JsonObject unused = call("", "Target.disposeBrowserContext", dispose);
            });
    sessions.put(session, tab::onEvent);
    tab.begin();
    return tab;
  }

  /** Calls a method and waits for its result. */
  private JsonObject call(String session, String method, JsonObject parameters) {
    long id = ids.incrementAndGet();
    JsonObject message = new JsonObject();
    message.addProperty("id", id);
    message.addProperty("method", method);
    message.add("params", parameters);
    if (!session.isEmpty()) {
      message.addProperty("sessionId", session);
    }
    CompletableFuture<JsonObject> result = new CompletableFuture<>();
    calls.put(id, result);
    synchronized (socket) { // which takes one message at a time
      WebSocket unused = socket.sendText(message.toString(), true).join();
    }
    return result.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
  }

  private void onMessage(String text) {
    JsonObject message = JsonParser.parseString(text).getAsJsonObject();
    JsonElement id = message.get("id");
    if (id == null) {
      JsonElement session = message.get("sessionId");
      if (session != null) {
        sessions.getOrDefault(session.getAsString(), event -> {}).accept(message);
      }
      return;
    }
    CompletableFuture<JsonObject> call = calls.remove(id.getAsLong());
    if (call == null) {
      return;
    }
    if (message.has("error")) {
      call.completeExceptionally(new AssertionError(message.get("error").toString()));
    } else {
      call.complete(message.getAsJsonObject("result"));
    }
  }

  private final class Messages implements WebSocket.Listener {
    private final StringBuilder parts = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean isLast) {
      parts.append(part);
      if (isLast) {
        String text = parts.toString();
        parts.setLength(0);
        onMessage(text);
      }
      from.request(1);
      return CompletableFuture.completedFuture(null);
    }
  }

  @Override
  public void close() {
    try {
      // Asked to, it removes what it has put beside its profile.
      JsonObject unused = call("", "Browser.close", new JsonObject());
      Process unusedProcess = process.onExit().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    } finally {
      socket.abort();
      end(process);
    }
  }

  // Chromium is a tree of processes, begun by a script.
  private static void end(Process process) {
    List<ProcessHandle> tree = process.descendants().toList();
    process.destroyForcibly().onExit().join();
    tree.forEach(ProcessHandle::destroyForcibly);
    tree.forEach(child -> child.onExit().join());
  }
}
