package io.pensieve.replication.consensus;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a node founds a cluster, is in one already, or waits to be added to one.
 *
 * <p>A member whose folder was emptied must not vote: it has forgotten its votes, and entries that
 * it acknowledged. Two such members could elect each other, and lose everything that the third one
 * has. So a folder gets a random id, its incarnation, before anything else. A cluster is founded by
 * a set of incarnations, and only by a node that got an answer of every peer: each is in no cluster
 * yet, or in one whose founders contain this very incarnation. The cluster's id derives from the
 * founders: nodes that found at the same time found the same cluster, or clusters that never have a
 * majority.
 *
 * <p>Any other node waits, with its Raft port closed. The leader lets it in, once its own list of
 * members, which does not contain the node, is committed. An emptied member is therefore removed
 * first, and then added.
 *
 * <p>Thread-safe.
 */
public final class Founding {
  private static final String INCARNATION = "incarnation";
  private static final String CLUSTER = "cluster";
  private static final String FOUNDER = "founder.";
  private static final long POLL_MILLIS = 200;

  private final Path folder;
  private final String self;
  private final UUID incarnation;
  private final Set<UUID> invited = ConcurrentHashMap.newKeySet();

  /** Guards the file, and the field that says what it contains. */
  private final Object lock = new Object();

  private @Nullable Cluster cluster;

  private record Cluster(UUID id, Map<String, UUID> founders) {}

  /** What a node is to do. */
  public sealed interface Decision {}

  /**
   * The node is a member of a cluster, or is let in: it starts its engine.
   *
   * @param cluster the id of the cluster
   * @param founders the members of a cluster that was founded by this node; none if it was let in
   */
  public record Start(UUID cluster, List<Member> founders) implements Decision {}

  /**
   * The node is in no cluster yet, and asks again a little later.
   *
   * @param reason why, and what helps, in one line for an operator
   */
  public record Wait(String reason) implements Decision {}

  private Founding(Path folder, String self, UUID incarnation, @Nullable Cluster cluster) {
    this.folder = folder;
    this.self = self;
    this.incarnation = incarnation;
    this.cluster = cluster;
  }

  /**
   * Reads what a folder remembers; an empty one gets its incarnation.
   *
   * @param memberFolder that of the engine. The files are where the engine has its own: whoever
   *     removes those removes these
   * @param self the node's id
   * @throws IOException if the folder belongs to another node, or cannot be read or written
   */
  public static Founding at(Path memberFolder, String self) throws IOException {
    Path folder = memberFolder.resolve("raft");
    Files.createDirectories(folder);
    Properties known = read(folder.resolve(INCARNATION));
    if (known == null) {
      UUID made = UUID.randomUUID();
      Properties properties = new Properties();
      properties.setProperty("id", self);
      properties.setProperty(INCARNATION, made.toString());
      write(folder, INCARNATION, properties);
      return new Founding(folder, self, made, null);
    }
    String owner = known.getProperty("id", "");
    if (!owner.equals(self)) {
      throw new IOException(folder + " belongs to the node " + owner + ", this one is " + self);
    }
    UUID incarnation = uuid(folder.resolve(INCARNATION), known, INCARNATION);
    return new Founding(folder, self, incarnation, readCluster(folder));
  }

  private static @Nullable Cluster readCluster(Path folder) throws IOException {
    Path file = folder.resolve(CLUSTER);
    Properties properties = read(file);
    if (properties == null) {
      return null;
    }
    Map<String, UUID> founders = new TreeMap<>();
    for (String name : properties.stringPropertyNames()) {
      if (name.startsWith(FOUNDER)) {
        founders.put(name.substring(FOUNDER.length()), uuid(file, properties, name));
      }
    }
    return new Cluster(uuid(file, properties, CLUSTER), founders);
  }

  /** What this node answers to the {@link PeerProbe} of another one. */
  public FoundingState state() {
    synchronized (lock) {
      return new FoundingState(
          self,
          incarnation,
          Optional.ofNullable(cluster).map(Cluster::id),
          cluster == null ? Map.of() : cluster.founders(),
          invited);
    }
  }

  /**
   * Decides. Asks the peers, unless this node is in a cluster already.
   *
   * @param members the members of a new cluster, this node included
   * @throws IOException if the decision cannot be written down
   */
  public Decision decide(List<Member> members, PeerProbe probe) throws IOException {
    Optional<Cluster> known = known();
    if (known.isPresent()) {
      return start(known.get(), members);
    }
    List<Member> silent = new ArrayList<>();
    List<FoundingState> answers = new ArrayList<>();
    for (Member peer : members) {
      if (peer.id().equals(self)) {
        continue;
      }
      Optional<FoundingState> answer = probe.ask(peer);
      if (answer.isPresent() && !answer.get().id().equals(peer.id())) {
        return new Wait(peer.url() + " is not " + peer.id() + " but " + answer.get().id());
      }
      answer.ifPresentOrElse(answers::add, () -> silent.add(peer));
    }
    for (FoundingState answer : answers) {
      if (answer.invited().contains(incarnation) && answer.cluster().isPresent()) {
        return start(remember(new Cluster(answer.cluster().get(), Map.of())), members);
      }
    }
    return foundOrWait(members, answers, silent);
  }

  private Decision foundOrWait(
      List<Member> members, List<FoundingState> answers, List<Member> silent) throws IOException {
    List<FoundingState> founded =
        answers.stream().filter(answer -> answer.cluster().isPresent()).toList();
    for (FoundingState other : founded) {
      if (!incarnation.equals(other.founders().get(self))) {
        return new Wait(
            "the cluster of "
                + other.id()
                + " exists, and this node's folder is empty. Add it by: pensieve-server cluster add"
                + " "
                + url(members)
                + "; or, if it was a member: pensieve-server cluster replace "
                + self
                + " "
                + url(members));
      }
    }
    if (founded.stream().map(FoundingState::cluster).distinct().count() > 1) {
      return new Wait("the peers are in different clusters: empty the folders of all but one");
    }
    if (!silent.isEmpty()) {
      return new Wait(
          "a new cluster begins once all members run. No answer yet of "
              + silent.stream().map(Member::id).toList());
    }
    Map<String, UUID> founders = founders(answers, founded);
    if (!founders.keySet().equals(ids(members))) {
      return new Wait(
          "the cluster is being founded by "
              + founders.keySet()
              + ", this node expects "
              + ids(members)
              + ": are the lists of peers the same on all nodes?");
    }
    return start(remember(new Cluster(clusterOf(founders), founders)), members);
  }

  private String url(List<Member> members) {
    return members.stream()
        .filter(member -> member.id().equals(self))
        .map(member -> member.url().toString())
        .findFirst()
        .orElse("URL");
  }

  private Map<String, UUID> founders(List<FoundingState> answers, List<FoundingState> founded) {
    if (!founded.isEmpty()) {
      return new TreeMap<>(founded.get(0).founders());
    }
    Map<String, UUID> founders = new TreeMap<>();
    founders.put(self, incarnation);
    answers.forEach(answer -> founders.put(answer.id(), answer.incarnation()));
    return founders;
  }

  private static Set<String> ids(List<Member> members) {
    Map<String, Member> ids = new TreeMap<>();
    members.forEach(member -> ids.put(member.id(), member));
    return ids.keySet();
  }

  private static UUID clusterOf(Map<String, UUID> founders) {
    String text = new TreeMap<>(founders).toString();
    return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  private Decision start(Cluster found, List<Member> members) {
    List<Member> founders =
        members.stream().filter(member -> found.founders().containsKey(member.id())).toList();
    return new Start(found.id(), founders);
  }

  private Optional<Cluster> known() {
    synchronized (lock) {
      return Optional.ofNullable(cluster);
    }
  }

  private Cluster remember(Cluster found) throws IOException {
    Properties properties = new Properties();
    properties.setProperty(CLUSTER, found.id().toString());
    found.founders().forEach((id, of) -> properties.setProperty(FOUNDER + id, of.toString()));
    synchronized (lock) {
      write(folder, CLUSTER, properties);
      cluster = found;
    }
    return found;
  }

  /**
   * Lets a node with an empty folder into this node's cluster, and waits until it has started its
   * engine. To be called on a leader whose list of members does not contain the node, before it is
   * added to that list.
   *
   * @throws IOException if the node does not answer, is in another cluster, or does not come in
   *     time
   */
  public void admit(Member node, PeerProbe probe, Duration patience)
      throws IOException, InterruptedException {
    Cluster own = known().orElseThrow(() -> new IOException("this node is in no cluster itself"));
    UUID guest = ask(node, probe).incarnation();
    invited.add(guest);
    try {
      long end = System.nanoTime() + patience.toNanos();
      while (true) {
        FoundingState state = ask(node, probe);
        if (state.cluster().isPresent()) {
          requireSame(node, own.id(), state.cluster().get());
          return;
        }
        if (System.nanoTime() - end > 0) {
          throw new IOException(node.id() + " does not join: does it know this node as a peer?");
        }
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
    } finally {
      invited.remove(guest);
    }
  }

  private static FoundingState ask(Member node, PeerProbe probe) throws IOException {
    FoundingState state =
        probe
            .ask(node)
            .orElseThrow(() -> new IOException(node.id() + " does not answer at " + node.url()));
    if (!state.id().equals(node.id())) {
      throw new IOException(node.url() + " is not " + node.id() + " but " + state.id());
    }
    return state;
  }

  private static void requireSame(Member node, UUID own, UUID other) throws IOException {
    if (!own.equals(other)) {
      throw new IOException(node.id() + " is in another cluster: empty its folder first");
    }
  }

  /**
   * Makes this node the only founder of a new cluster with the data of the old one: for the one
   * survivor of a lost majority. The node must not run.
   *
   * @param newCluster the id of the new cluster
   */
  public void refound(UUID newCluster) throws IOException {
    remember(new Cluster(newCluster, Map.of(self, incarnation)));
  }

  private static @Nullable Properties read(Path file) throws IOException {
    try {
      Properties properties = new Properties();
      properties.load(new StringReader(Files.readString(file)));
      return properties;
    } catch (NoSuchFileException neverWritten) {
      return null;
    } catch (IllegalArgumentException damaged) {
      throw new IOException(file + " is damaged: " + damaged.getMessage(), damaged);
    }
  }

  private static UUID uuid(Path file, Properties properties, String name) throws IOException {
    try {
      return UUID.fromString(properties.getProperty(name, ""));
    } catch (IllegalArgumentException damaged) {
      throw new IOException(file + " is damaged: expected an id as " + name, damaged);
    }
  }

  /** A crash leaves the file as it was before or as it is after. */
  private static void write(Path folder, String name, Properties properties) throws IOException {
    StringWriter text = new StringWriter();
    properties.store(text, null);
    Path temporary = folder.resolve(name + ".tmp");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
