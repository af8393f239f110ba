package io.pensieve.examples;

import io.pensieve.Pensieve;
import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.StandbyMap;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A map that holds the texts of a server, in this process: reads cost no request. It is a standby
 * whose log is the server. It is behind by the way of a change through the network, and refuses
 * writes: these go to the server.
 */
public final class ReadReplica implements ReplicatedLog<String, String> {
  private static final Duration OPENING_MAX = Duration.ofSeconds(10);
  private static final long PAUSE_MILLIS = 500; // before another try

  private final URI server;
  private volatile boolean closed;
  private volatile @Nullable Thread following;

  /** Describes a replica; it begins to follow when a map is opened on it. */
  public ReadReplica(URI server) {
    this.server = server;
  }

  /** Prints the values of the keys on standard input. */
  public static void main(String[] args) throws IOException {
    try (Pensieve<String, String> map = open(URI.create(args[0]));
        BufferedReader keys =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String key; (key = keys.readLine()) != null; ) {
        System.out.println(key + " = " + map.get(key) + ", of " + map.size() + " entries");
      }
    }
  }

  /** Opens a replica. If the server cannot be reached, it is empty, until it can. */
  public static Pensieve<String, String> open(URI server) {
    return Pensieve.<String, String>builder().log(new ReadReplica(server)).open();
  }

  @Override
  public RecoveryReport replay(ReplayHandler<String, String> handler) {
    return RecoveryReport.empty();
  }

  @Override
  public void follow(StandbyMap<String, String> map) {
    ServerFollower follower = new ServerFollower(server, map);
    Thread thread = new Thread(() -> follow(follower), "read-replica");
    thread.setDaemon(true);
    following = thread;
    thread.start();
    try {
      if (!follower.awaitCopied(OPENING_MAX)) {
        System.err.println("cannot copy the entries of " + server + " yet: going on trying");
      }
    } catch (InterruptedException mapIsWanted) {
      Thread.currentThread().interrupt();
    }
  }

  private void follow(ServerFollower follower) {
    while (!closed) {
      try {
        follower.follow();
      } catch (IOException | InterruptedException unreachable) {
        pause();
      }
    }
  }

  private void pause() {
    try {
      if (!closed) {
        Thread.sleep(PAUSE_MILLIS);
      }
    } catch (InterruptedException closing) {
      // The loop sees that.
    }
  }

  @Override
  public long append(Change<String, String> change) {
    throw new LogException.ReadOnly("writes go to " + server);
  }

  @Override
  public boolean isVoid(long sequence) {
    return false; // the server delivers what it has acknowledged
  }

  @Override
  public void close() {
    closed = true;
    Thread thread = following;
    if (thread != null) {
      thread.interrupt();
    }
  }
}
