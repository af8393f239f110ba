package io.pensieve.server;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.testing.Depth;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** The program in a process of its own, which can be told to stop, paused, or killed. */
public final class ServerProcess implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long POLL_NANOS = 5_000_000;
  private static final String LISTENING = "listening on ";
  private static final String HEAP = "-Xmx256m";

  private final Process process;
  private final Path out;
  private final Path err;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private ServerProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** Launches the program; what it prints is kept in files in this folder. */
  static ServerProcess launch(Path folder, Map<String, String> environment, String... args)
      throws IOException {
    return launch(folder, HEAP, environment, args);
  }

  /** The same with another heap, as in {@code -Xmx64m}. */
  static ServerProcess launch(
      Path folder, String heap, Map<String, String> environment, String... args)
      throws IOException {
    return launch(folder, commandWithHeap(heap, args), environment);
  }

  private static ServerProcess launch(
      Path folder, List<String> command, Map<String, String> environment) throws IOException {
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(folder.toFile());
    builder
        .environment()
        .keySet()
        .removeIf(
            name -> name.startsWith("PENSIEVE_") || name.matches("PORT|PEERS|NODE_ID|J.*_OPTIONS"));
    builder.environment().putAll(environment);
    builder.redirectOutput(out.toFile()).redirectError(err.toFile());
    return new ServerProcess(builder.start(), out, err);
  }

  /**
   * The same by way of another program, as in {@code ip netns exec}; with none, the program itself.
   */
  public static ServerProcess launchBy(List<String> launcher, Path folder, String... args)
      throws IOException {
    List<String> command = new ArrayList<>(launcher);
    command.addAll(command(args));
    return launch(folder, command, Map.of());
  }

  /** What launches the program. */
  static List<String> command(String... args) throws IOException {
    return commandWithHeap(HEAP, args);
  }

  private static List<String> commandWithHeap(String heap, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    if (heap.equals(HEAP)) {
      command.add(Depth.compilers()); // those of another heap live longer, and have more to do
      command.addAll(ClassArchive.options());
    }
    command.addAll(List.of("-ea", heap, "-cp", ClassArchive.classPath()));
    command.add(Main.class.getName());
    command.addAll(List.of(args));
    return command;
  }

  /** Launches the program on a free port, and waits until it listens. */
  static ServerProcess serve(Path folder, String... args) throws Exception {
    return serveWithHeap(folder, HEAP, args);
  }

  /** The same with another heap, as in {@code -Xmx64m}. */
  static ServerProcess serveWithHeap(Path folder, String heap, String... args) throws Exception {
    List<String> all = new ArrayList<>(List.of("--port", "0"));
    all.addAll(List.of(args));
    return launch(folder, heap, Map.of(), all.toArray(String[]::new)).awaitListening();
  }

  /**
   * The same as a process that may have so many files open, with this environment. Where there is
   * no such limit, it is not set.
   */
  static ServerProcess serveWithFiles(
      int filesMax, Path folder, String heap, Map<String, String> environment, String... args)
      throws Exception {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(Path.of("/bin/sh"))) {
      command.addAll(List.of("/bin/sh", "-c", "ulimit -n " + filesMax + "; exec \"$@\"", "sh"));
    }
    command.addAll(commandWithHeap(heap, args));
    command.addAll(List.of("--port", "0"));
    return launch(folder, command, environment).awaitListening();
  }

  public ServerProcess awaitListening() throws IOException {
    awaitLine(out, LISTENING);
    return this;
  }

  /** Waits until a line with this part is on the standard error stream. */
  void awaitError(String part) throws IOException {
    awaitLine(err, part);
  }

  private void awaitLine(Path printed, String part) throws IOException {
    long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
    while (!hasLine(printed, part)) {
      if (!process.isAlive() || System.nanoTime() - deadlineNanos > 0) {
        throw new AssertionError("no \"" + part + "\" in: " + out() + err());
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static boolean hasLine(Path printed, String part) throws IOException {
    String text = Files.readString(printed);
    int found = text.indexOf(part);
    return found >= 0 && text.indexOf('\n', found) >= 0;
  }

  String url() throws IOException {
    String url = out().substring(out().indexOf(LISTENING) + LISTENING.length());
    return url.lines().findFirst().orElseThrow();
  }

  int port() throws IOException {
    return URI.create(url()).getPort();
  }

  public String out() throws IOException {
    return Files.readString(out);
  }

  public String err() throws IOException {
    return Files.readString(err)
        .lines()
        .filter(line -> !line.startsWith("WARNING: ")) // the JDK's own, of Undertow
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }

  /** Puts; returns when the server has acknowledged it. */
  void put(String key, String value) throws Exception {
    JsonObject body = new JsonObject();
    body.addProperty("key", key);
    body.addProperty("val", value);
    String answer =
        send(
            HttpRequest.newBuilder(URI.create(url() + "/put"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body.toString())));
    if (!answer.equals("{\"status\":\"ok\"}")) {
      throw new AssertionError(answer);
    }
  }

  String get(String key) throws Exception {
    String path = "/get/" + URLEncoder.encode(key, StandardCharsets.UTF_8).replace("+", "%20");
    String answer = send(HttpRequest.newBuilder(URI.create(url() + path)));
    return JsonParser.parseString(answer).getAsJsonObject().get("val").getAsString();
  }

  private String send(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> answer =
        client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
    return answer.body();
  }

  /** SIGTERM. */
  public ServerProcess terminate() {
    process.destroy();
    return this;
  }

  /** SIGHUP. */
  void hangUp() throws Exception {
    signal("-HUP");
  }

  /** SIGKILL. */
  public ServerProcess kill() {
    process.destroyForcibly();
    return this;
  }

  /** SIGSTOP: the process is there, and does nothing. */
  public void pause() throws Exception {
    signal("-STOP");
  }

  /** SIGCONT. */
  public void resume() throws Exception {
    signal("-CONT");
  }

  private void signal(String signal) throws Exception {
    int status = new ProcessBuilder("kill", signal, Long.toString(pid())).start().waitFor();
    if (status != 0 && process.isAlive()) {
      throw new IOException("kill " + signal + " ended with " + status);
    }
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public int awaitExit() throws Exception {
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("does not end: " + out() + err());
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
