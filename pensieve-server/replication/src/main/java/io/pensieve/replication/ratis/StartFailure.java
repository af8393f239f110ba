package io.pensieve.replication.ratis;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;

/** Why a member does not start, in a sentence that says what to do. */
final class StartFailure {
  private StartFailure() {}

  /** Looks at the port first: Ratis would be half started when it finds that it is taken. */
  static void requirePort(String host, int port) throws IOException {
    InetSocketAddress address =
        host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw new IOException("the host " + host + " of the Raft port is unknown");
    }
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(address);
    } catch (IOException taken) {
      throw new IOException("cannot use the Raft port " + port + ": " + taken.getMessage(), taken);
    }
  }

  static IOException explain(Path folder, String self, Throwable failed) {
    Throwable cause = failed;
    while (cause.getCause() != null
        && (cause instanceof CompletionException
            || cause instanceof IllegalStateException
            || cause instanceof IOException)) {
      cause = cause.getCause();
    }
    if (cause instanceof OverlappingFileLockException
        || String.valueOf(cause.getMessage()).contains("Failed to lock storage")) {
      return new IOException(folder + " is in use: does this node run already?", failed);
    }
    return new IOException(
        "cannot start from "
            + folder
            + ": "
            + cause
            + ". If its disk is damaged: empty the folder, start this node, and let another one"
            + " replace it by: pensieve-server cluster replace "
            + self,
        failed);
  }
}
