package io.pensieve.server.cluster;

import io.pensieve.server.ServerProcess;
import io.pensieve.server.SmallVolume;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A server with its folder and its address, while its processes come and go. */
final class Node implements AutoCloseable {
  private static final int PRINTED_MAX = 2_000;

  private final int id;
  private final InetSocketAddress address;
  private final Path folder;
  private final List<String> launcher;
  private final List<String> arguments;
  private Optional<ServerProcess> process = Optional.empty();
  private Optional<Machine> machine = Optional.empty();
  private Optional<SmallVolume> disk = Optional.empty();

  /**
   * @param folder for what it prints; its data is in a folder within
   * @param launcher what launches its processes; none for the machine itself
   * @param arguments all that the address and the folder do not say
   */
  Node(
      int id,
      InetSocketAddress address,
      Path folder,
      List<String> launcher,
      List<String> arguments) {
    this.id = id;
    this.address = address;
    this.folder = folder;
    this.launcher = launcher;
    this.arguments = arguments;
  }

  int id() {
    return id;
  }

  InetSocketAddress address() {
    return address;
  }

  String url() {
    return "http://" + address.getHostString() + ":" + address.getPort();
  }

  Path data() {
    return folder.resolve("data-" + id);
  }

  /** Gives it a machine of its own. */
  void runOn(Machine own) {
    machine = Optional.of(own);
  }

  Machine machine() {
    return machine.orElseThrow();
  }

  /** Gives it a disk of so many MiB; returns whether that can be. */
  boolean mountDisk(int mebibytes) throws Exception {
    Files.createDirectories(data());
    disk = SmallVolume.mount(data(), mebibytes);
    return disk.isPresent();
  }

  SmallVolume disk() {
    return disk.orElseThrow();
  }

  /** Deletes all that it has stored. It must be down. */
  void emptyFolder() throws IOException {
    try (Stream<Path> stored = Files.walk(data())) {
      for (Path each : stored.sorted(Comparator.reverseOrder()).toList()) {
        if (!each.equals(data())) {
          Files.delete(each);
        }
      }
    }
  }

  /** Begins to start; {@link #awaitListening()} waits for it. */
  synchronized Node start() throws IOException {
    Files.createDirectories(folder);
    List<String> all = new ArrayList<>();
    all.addAll(List.of("--bind", address.getHostString()));
    all.addAll(List.of("--port", Integer.toString(address.getPort())));
    all.addAll(List.of("--data-dir", data().toString()));
    all.addAll(arguments);
    List<String> launchers = new ArrayList<>(launcher);
    machine.ifPresent(own -> launchers.addAll(own.launcher()));
    process = Optional.of(ServerProcess.launchBy(launchers, folder, all.toArray(String[]::new)));
    return this;
  }

  Node awaitListening() throws IOException {
    process().awaitListening();
    return this;
  }

  synchronized ServerProcess process() {
    return process.orElseThrow(() -> new IllegalStateException("node " + id + " is down"));
  }

  synchronized boolean isUp() {
    return process.filter(ServerProcess::isAlive).isPresent();
  }

  /** SIGKILL, at once and without a word. */
  void kill() throws Exception {
    process().kill().awaitExit();
  }

  /** SIGTERM; returns the status with which it ends. */
  int terminate() throws Exception {
    return process().terminate().awaitExit();
  }

  void pause() throws Exception {
    process().pause();
  }

  void resume() throws Exception {
    process().resume();
  }

  /** The end of what its last process has printed. */
  synchronized String printed() throws IOException {
    if (process.isEmpty()) {
      return "";
    }
    String all = process().out() + process().err();
    return all.substring(Math.max(0, all.length() - PRINTED_MAX));
  }

  @Override
  public synchronized void close() throws IOException {
    process.ifPresent(ServerProcess::close);
    if (disk.isPresent()) {
      disk.get().unmount();
    }
  }

  @Override
  public String toString() {
    return "node " + id;
  }
}
