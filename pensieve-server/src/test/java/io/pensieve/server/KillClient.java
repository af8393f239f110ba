package io.pensieve.server;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Writes until the server is killed, and knows what must be there after that. */
abstract class KillClient implements Callable<Void> {
  final String name;
  final Random random;
  private final int port;
  private final Progress progress;

  /** How far all clients of a server have come, and whether it has been killed. */
  record Progress(AtomicInteger acknowledged, AtomicBoolean killed) {}

  KillClient(int port, String name, Random random, Progress progress) {
    this.port = port;
    this.name = name;
    this.random = random;
    this.progress = progress;
  }

  @Override
  public final Void call() throws Exception {
    try (HostileConnection connection = new HostileConnection(port)) {
      while (true) {
        writeOnce(connection);
        progress.acknowledged().incrementAndGet();
      }
    } catch (IOException cut) {
      if (!progress.killed().get()) {
        throw cut;
      }
    }
    return null;
  }

  /** Writes, and fails unless the answer is the right one. */
  abstract void writeOnce(HostileConnection connection) throws IOException;

  /** Fails unless the server has what it must have. */
  abstract void assertFoundAgain(int serverPort) throws IOException;
}
