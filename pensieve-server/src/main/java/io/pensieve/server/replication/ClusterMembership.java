package io.pensieve.server.replication;

import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.Founding;
import io.pensieve.replication.consensus.FoundingState;
import io.pensieve.replication.consensus.Member;
import io.pensieve.server.http.replication.NodeCard;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Which cluster this node belongs to. If its folder belongs to none, a thread of its own asks the
 * peers until it does, and then starts the engine.
 */
final class ClusterMembership implements AutoCloseable {
  private static final long ASK_MILLIS = 250;
  private static final Duration ADMISSION_PATIENCE = Duration.ofSeconds(20);
  private static final long STOP_MILLIS_MAX = 5_000;

  private final ReplicationSettings settings;
  private final CardReader cards;
  private final FoundedConsensus consensus;
  private final BiFunction<UUID, List<Member>, Consensus> engine;
  private final Consumer<String> events;
  private final Member self;
  private final Founding founding;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread asking;
  private volatile boolean isFounded;
  private volatile @Nullable String waitsFor;

  /**
   * Reads the folder. Starts nothing.
   *
   * @param consensus gets its engine once the cluster is known
   * @param engine makes the engine of a cluster with these founders; none if it is there already
   * @param events receives a line for each event; must not block
   * @throws IOException if the folder cannot be used
   */
  ClusterMembership(
      ReplicationSettings settings,
      CardReader cards,
      FoundedConsensus consensus,
      BiFunction<UUID, List<Member>, Consensus> engine,
      Consumer<String> events)
      throws IOException {
    this.settings = settings;
    this.cards = cards;
    this.consensus = consensus;
    this.engine = engine;
    this.events = events;
    self =
        new Member(
            settings.nodeId(), settings.url().getHost(), settings.raftPort(), settings.url());
    founding = Founding.at(settings.folder(), settings.nodeId());
    Optional<UUID> cluster = founding.state().cluster();
    if (cluster.isPresent() && RaftFolder.hasLog(settings.folder(), cluster.get())) {
      // The engine's own list of members counts.
      consensus.found(() -> engine.apply(cluster.get(), List.of()));
      isFounded = true;
    }
    asking = new Thread(this::askUntilFounded, "pensieve-founding");
    asking.setDaemon(true);
  }

  /** Begins to look for a cluster, if the folder belongs to none. The map is open. */
  void lookForCluster() {
    if (!isFounded) {
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
    Map<String, FoundingState> answers = new HashMap<>();
    List<Member> members = new ArrayList<>(List.of(self));
    for (URI peer : settings.peers()) {
      Member member = silent(peer);
      try {
        NodeCard card = cards.read(peer);
        if (card.incarnation().equals(founding.state().incarnation())) {
          continue; // the list of peers has this node, too
        }
        member = member(card);
        if (answers.put(card.id(), state(card)) != null || card.id().equals(self.id())) {
          say("two nodes have the id " + card.id() + ", one is " + peer + ": give each its own");
          return false;
        }
      } catch (IOException noAnswer) {
        // It stays silent.
      }
      members.add(member);
    }
    Founding.Decision decision =
        founding.decide(members, peer -> Optional.ofNullable(answers.get(peer.id())));
    if (decision instanceof Founding.Start start) {
      return start(start);
    }
    say(((Founding.Wait) decision).reason());
    return false;
  }

  // Its id is not known, so nobody has it.
  private static Member silent(URI url) {
    return new Member(url.toString(), url.getHost(), 0, url);
  }

  // After a crash between the decision and the start, some founders may be silent.
  private boolean start(Founding.Start start) throws IOException {
    if (start.founders().size() < founding.state().founders().size()) {
      say("waits for the other founders of cluster " + start.cluster());
      return false;
    }
    consensus.found(() -> engine.apply(start.cluster(), start.founders()));
    events.accept(
        start.founders().isEmpty()
            ? "joins cluster " + start.cluster()
            : "founds cluster " + start.cluster() + " of " + start.founders().size());
    waitsFor = null;
    isFounded = true;
    return true;
  }

  /** Returns whether this node belongs to a cluster. */
  boolean isFounded() {
    return isFounded;
  }

  static Member member(NodeCard card) {
    return new Member(card.id(), card.raftHost(), card.raftPort(), card.url());
  }

  static FoundingState state(NodeCard card) {
    return new FoundingState(
        card.id(), card.incarnation(), card.cluster(), card.founders(), card.invited());
  }

  private void say(String line) {
    if (!line.equals(waitsFor)) {
      waitsFor = line;
      events.accept(line);
    }
  }

  /** Returns why this node takes no part in a cluster yet, if that was said. */
  Optional<String> waitsFor() {
    return Optional.ofNullable(waitsFor);
  }

  /** Returns what this node tells its peers. */
  NodeCard card() {
    FoundingState state = founding.state();
    return new NodeCard(
        self.id(),
        state.incarnation(),
        self.url(),
        self.host(),
        self.port(),
        state.cluster(),
        state.founders(),
        state.invited(),
        settings.capacity().entries(),
        settings.capacity().bytes());
  }

  /**
   * Lets the node of this card into the cluster, and waits until its engine listens. A snapshot
   * that finds nobody would cost many seconds: the engine waits for the answers to all parts of it.
   */
  void admit(NodeCard card) throws IOException, InterruptedException {
    founding.admit(member(card), this::ask, ADMISSION_PATIENCE);
    RaftPort.awaitListening(card.raftHost(), card.raftPort(), ADMISSION_PATIENCE);
  }

  private Optional<FoundingState> ask(Member member) {
    try {
      return Optional.of(state(cards.read(member.url())));
    } catch (IOException noAnswer) {
      return Optional.empty();
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /** Ends the thread that asks. */
  @Override
  public void close() {
    closed.countDown();
    try {
      asking.interrupt();
      asking.join(STOP_MILLIS_MAX);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }
}
