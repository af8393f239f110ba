package io.pensieve.server.replication;

import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.replication.RaftLog;
import io.pensieve.replication.RaftStatus;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.RatisConsensus;
import io.pensieve.server.http.replication.NodeCard;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * This node of a cluster: its folder, its engine and its log. If its folder belongs to no cluster,
 * a thread of its own asks the peers until it does.
 */
public final class RaftNode implements AutoCloseable {
  private static final long ASK_MILLIS = 500;
  private static final long STOP_MILLIS_MAX = 5_000;
  private static final int ENTRY_FRAME_BYTES = 64 << 10;

  private final ReplicationSettings settings;
  private final Consumer<String> events;
  private final NodeCard.Place place;
  private final PeerProbe probe;
  private final FoundedConsensus consensus;
  private final RaftLog<String, StoredValue> log;
  private final RaftReplication replication;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread asking;
  private volatile NodeIdentity identity;
  private volatile @Nullable String waitsFor;

  /**
   * Reads the folder. Starts nothing.
   *
   * @param events receives a line for each event of the cluster; must not block
   * @param onFailure called once if this node cannot go on: the process should end
   * @param onCommit called with the time of each commit, in nanoseconds
   * @throws LogException if the folder cannot be used
   */
  public RaftNode(
      ReplicationSettings settings,
      Consumer<String> events,
      Consumer<Throwable> onFailure,
      LongConsumer onCommit) {
    this.settings = settings;
    this.events = events;
    identity = NodeIdentity.in(settings.folder(), settings.nodeId());
    place =
        new NodeCard.Place(
            settings.nodeId(),
            identity.incarnation(),
            settings.url(),
            settings.url().getHost(),
            settings.raftPort());
    probe = new PeerProbe(settings.secret(), settings.trust());
    consensus =
        new FoundedConsensus(
            Optional.of(identity).filter(known -> known.cluster().isPresent()),
            this::engine,
            settings.folder().resolve("temporary"));
    log =
        RaftLog.on(consensus, Codec.utf8(), StoredValue.codec())
            .maximumChangeBytes(settings.changeBytesMax())
            .onEvent(events)
            .onFailure(onFailure)
            .onCommit(onCommit)
            .build();
    replication = new RaftReplication(this, log, probe);
    asking = new Thread(this::askUntilFounded, "pensieve-founding");
    asking.setDaemon(true);
  }

  private Consensus engine(NodeIdentity founded) {
    RatisConsensus.Builder engine =
        RatisConsensus.at(settings.folder(), founded.cluster().orElseThrow(), settings.nodeId())
            .members(founded.founders().stream().map(RaftNode::member).toList())
            .bind(settings.raftBind(), settings.raftPort())
            .entryBytesMax(settings.changeBytesMax() + ENTRY_FRAME_BYTES)
            .onEvent(events);
    settings.raftTls().ifPresent(engine::tls);
    return engine.build();
  }

  static Member member(NodeCard.Place place) {
    return new Member(place.id(), place.raftHost(), place.raftPort(), place.url());
  }

  /** Returns the log, for a map to be opened on. Closing the map closes it. */
  public RaftLog<String, StoredValue> log() {
    return log;
  }

  /** Returns what the routes need to know. */
  public Replication replication() {
    return replication;
  }

  /** Begins to look for a cluster, if the folder belongs to none. The map is open. */
  public void lookForCluster() {
    if (identity.cluster().isEmpty()) {
      asking.start();
    }
  }

  private void askUntilFounded() {
    try {
      do {
        if (decide()) {
          return;
        }
      } while (!closed.await(ASK_MILLIS, TimeUnit.MILLISECONDS));
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException broken) {
      say("this node cannot take part in its cluster: " + broken);
    }
  }

  /** Asks all peers. Returns whether this node belongs to a cluster now. */
  private boolean decide() throws IOException, InterruptedException {
    List<NodeCard> cards = new ArrayList<>();
    for (URI peer : settings.peers()) {
      try {
        NodeCard card = probe.ask(peer);
        if (!card.place().isSameAs(place)) {
          cards.add(card);
        }
      } catch (IOException silent) {
        say("waits for " + peer + ", to found a cluster: " + silent.getMessage());
        return false;
      }
    }
    Founding.Decision decision = Founding.decide(place, cards);
    if (decision instanceof Founding.Found found) {
      join(identity.of(found.cluster(), found.founders()));
      events.accept("founds cluster " + found.cluster() + " of " + found.founders().size());
      waitsFor = null;
      return true;
    }
    if (decision instanceof Founding.AwaitAdding joining) {
      join(identity.of(joining.cluster(), List.of()));
      say(joining.line());
      return true;
    }
    say(((Founding.Wait) decision).line());
    return false;
  }

  private void join(NodeIdentity founded) throws IOException {
    founded.saveIn(settings.folder());
    identity = founded;
    consensus.found(founded);
  }

  private void say(String line) {
    if (!line.equals(waitsFor)) {
      waitsFor = line;
      events.accept(line);
    }
  }

  /** Returns why this node takes no part in a cluster yet, if so. */
  Optional<String> waitsFor() {
    return Optional.ofNullable(waitsFor).filter(line -> log.status().members().isEmpty());
  }

  /** Returns what this node tells its peers. */
  NodeCard card() {
    NodeIdentity now = identity;
    RaftStatus status = log.status();
    return new NodeCard(
        place,
        now.cluster(),
        now.founders(),
        status.members().stream().map(progress -> progress.member().id()).toList(),
        log.isLeading());
  }

  /** Hands the leadership over, if this node leads, and waits for that. */
  public void handOver(Duration patience) throws InterruptedException {
    if (log.isLeading()) {
      try {
        log.transferLeadership(Optional.empty(), patience)
            .get(patience.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException keptLeading) {
        events.accept("nobody took the lead over before this node stops");
      }
    }
  }

  /** Ends the thread that asks. The map closes the log. */
  @Override
  public void close() {
    closed.countDown();
    try {
      asking.interrupt();
      asking.join(STOP_MILLIS_MAX);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
    replication.close();
  }
}
