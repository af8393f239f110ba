package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Founding;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Founds a cluster of one that begins with a given state. Offline: it leaves the folder of a member
 * that may be started.
 *
 * <p>The member's log begins behind the state. So whoever joins the cluster gets the state as a
 * snapshot: no log leads there.
 */
public final class SeededCluster {
  private static final long PATIENCE_SECONDS = 60;
  private static final String LOOPBACK = "127.0.0.1";

  private SeededCluster() {}

  /** The state to begin with. */
  public interface State {
    /** Returns an entry that this term may begin with. It comes before the state. */
    byte[] firstEntry(long term);

    /** Writes the state to a file, which does not exist, as a snapshot at this position. */
    void write(Path file, LogPosition position) throws IOException;
  }

  /**
   * Founds the cluster.
   *
   * @param folder the member's folder, which must be empty. If this fails, what is left there is of
   *     no use
   * @param self the member
   */
  public static void found(Path folder, Member self, State state)
      throws IOException, InterruptedException {
    Founding.Decision decision =
        Founding.at(folder, self.id()).decide(List.of(self), peer -> Optional.empty());
    if (!(decision instanceof Founding.Start start)) {
      throw new IOException(folder + " is not empty");
    }
    RatisConsensus engine =
        RatisConsensus.at(folder, start.cluster(), self.id())
            .members(List.of(self))
            .bind(LOOPBACK, self.port())
            .build();
    FirstTerm term = new FirstTerm();
    try {
      engine.start(term);
      engine.propose(term.number(), state.firstEntry(term.number())).get();
      LogPosition position = term.applied();
      Path file = engine.temporaryFolder().resolve("seed");
      state.write(file, position);
      engine.saveSnapshot(position, file);
    } catch (ExecutionException failed) {
      throw new IOException("cannot found a cluster: " + failed.getCause(), failed);
    } finally {
      engine.close();
    }
    forgetLog(folder.resolve("raft").resolve(start.cluster().toString()).resolve("current"));
    // Its list of members was in the log.
    var unused = Survivor.becomeCluster(folder, self);
  }

  private static void forgetLog(Path current) throws IOException {
    try (Stream<Path> files = Files.list(current)) {
      for (Path file : files.toList()) {
        if (String.valueOf(file.getFileName()).startsWith("log_")) {
          Files.delete(file);
        }
      }
    }
  }

  /** Waits for the term in which the member leads, and for its first entry. */
  private static final class FirstTerm implements StateMachine {
    private final CompletableFuture<Long> leads = new CompletableFuture<>();
    private volatile @Nullable LogPosition applied;

    long number() throws IOException, InterruptedException {
      try {
        return leads.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException failed) {
        throw new IOException("the new cluster elects no leader: " + failed, failed);
      }
    }

    LogPosition applied() throws IOException {
      LogPosition position = applied;
      if (position == null) {
        throw new IOException("the first entry was not applied");
      }
      return position;
    }

    @Override
    public void apply(LogPosition position, byte[] entry) {
      applied = position;
    }

    @Override
    public void lead(long term) {
      leads.complete(term);
    }

    @Override
    public void follow() {}

    @Override
    public void restore(LogPosition position, Path snapshot) {}

    @Override
    public void fail(Throwable cause) {
      leads.completeExceptionally(cause);
    }
  }
}
