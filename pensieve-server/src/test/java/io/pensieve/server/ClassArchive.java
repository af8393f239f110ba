package io.pensieve.server;

import io.pensieve.testing.Ports;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The classes that servers load from libraries, in an archive that the JVM maps instead of reading,
 * verifying and linking each: the processes of these tests start in half of the time. It is made
 * once for a JVM and these libraries; whoever starts a server meanwhile does without.
 */
final class ClassArchive {
  private static final Path FOLDER = Path.of("target");
  private static final long PATIENCE_SECONDS = 120;
  private static final long POLL_NANOS = 50_000_000;
  private static final List<String> ALL =
      Arrays.stream(System.getProperty("java.class.path", "").split(File.pathSeparator, -1))
          .distinct()
          .toList();
  private static final List<String> LIBRARIES =
      ALL.stream().filter(each -> each.endsWith(".jar")).toList();
  private static final Path FILE = FOLDER.resolve("classes-" + version() + ".jsa");

  private static boolean isTried;

  private ClassArchive() {}

  /** The class path of a server; what an archive may have comes first. */
  static String classPath() {
    List<String> path = new ArrayList<>(LIBRARIES);
    ALL.stream().filter(each -> !each.endsWith(".jar")).forEach(path::add);
    return String.join(File.pathSeparator, path);
  }

  /** The options of a JVM that has the archive, if there is one. */
  static synchronized List<String> options() throws IOException {
    if (!Files.exists(FILE) && !isTried) {
      isTried = true;
      make();
    }
    return Files.exists(FILE)
        ? List.of("-XX:SharedArchiveFile=" + FILE.toAbsolutePath(), "-Xlog:cds*=off")
        : List.of();
  }

  // Of this JVM, and these libraries as they are now.
  private static String version() {
    StringBuilder all = new StringBuilder(System.getProperty("java.home", ""));
    all.append(System.getProperty("java.vm.version"));
    for (String library : LIBRARIES) {
      File file = new File(library);
      all.append(library).append(file.length()).append(file.lastModified());
    }
    return Integer.toHexString(all.toString().hashCode());
  }

  private static void make() throws IOException {
    Files.createDirectories(FOLDER);
    try (FileChannel channel =
            FileChannel.open(
                FOLDER.resolve("classes.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock != null && !Files.exists(FILE)) {
        Path folder = Files.createTempDirectory("pensieve-classes");
        try {
          Path list = folder.resolve("list.txt");
          listClasses(folder, list);
          dump(folder, list);
        } finally {
          delete(folder);
        }
      }
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  /** By a node that is a cluster of its own, and does some of what others do. */
  private static void listClasses(Path folder, Path list) throws IOException, InterruptedException {
    int port = Ports.take(2);
    String url = "http://127.0.0.1:" + port;
    List<String> command = java("-XX:DumpLoadedClassList=" + list, "-cp", classPath());
    command.addAll(List.of(Main.class.getName(), "--replicate", "--node-id", "1"));
    command.addAll(List.of("--port", "" + port, "--raft-port", "" + (port + 1), "--peers", url));
    command.addAll(List.of("--data-dir", folder.resolve("data").toString()));
    Process server = start(folder, command);
    try {
      HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (status(client, url + "/readyz") != 200 && System.nanoTime() < deadlineNanos) {
        LockSupport.parkNanos(POLL_NANOS);
      }
      for (String path : List.of("/get/a", "/v1/kv/a", "/v1/keys", "/metrics", "/cluster")) {
        int unused = status(client, url + path);
      }
      server.destroy();
      boolean unused = server.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } finally {
      server.destroyForcibly();
    }
  }

  private static int status(HttpClient client, String url) throws InterruptedException {
    try {
      HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
      return client.send(request, BodyHandlers.discarding()).statusCode();
    } catch (IOException notListening) {
      return 0;
    }
  }

  private static void dump(Path folder, Path list) throws IOException, InterruptedException {
    Path fresh = folder.resolve("fresh.jsa");
    Process dump =
        start(
            folder,
            java(
                "-Xshare:dump",
                "-XX:SharedClassListFile=" + list,
                "-XX:SharedArchiveFile=" + fresh,
                "-cp",
                String.join(File.pathSeparator, LIBRARIES)));
    boolean isOver = dump.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    dump.destroyForcibly();
    if (isOver && Files.exists(fresh)) {
      Path beside = FOLDER.resolve(fresh.getFileName());
      Files.move(fresh, beside, StandardCopyOption.REPLACE_EXISTING); // maybe to another disk
      Files.move(beside, FILE, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static List<String> java(String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of(options));
    return command;
  }

  private static Process start(Path folder, List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.matches("PENSIEVE_.*|PORT|J.*_OPTIONS"));
    return builder.redirectOutput(folder.resolve("printed.txt").toFile()).start();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
