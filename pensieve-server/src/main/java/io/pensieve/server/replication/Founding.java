package io.pensieve.server.replication;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.server.http.replication.NodeCard;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Decides what a node whose folder belongs to no cluster does, by what all its peers told it.
 *
 * <p>Invariant: a node takes part in a cluster from the beginning only if <em>every</em> peer has
 * answered, and each belongs to no cluster, or to one that was founded together with this very
 * incarnation of the node. So an emptied folder never votes in a cluster that exists: its
 * incarnation is in no set of founders. All nodes that found a cluster together compute the same id
 * for it from the same incarnations.
 */
final class Founding {
  private Founding() {}

  /** What a node does next. */
  sealed interface Decision {}

  /** The node founds this cluster, or is one of its founders. */
  record Found(UUID cluster, List<NodeCard.Place> founders) implements Decision {}

  /** The node starts without members, to be added to this cluster. */
  record AwaitAdding(UUID cluster, String line) implements Decision {}

  /** The node asks again later. */
  record Wait(String line) implements Decision {}

  /**
   * Decides.
   *
   * @param own this node
   * @param peers the cards of all others that it was told of, one for each node
   */
  static Decision decide(NodeCard.Place own, List<NodeCard> peers) {
    Optional<Decision> conflict = conflict(own, peers);
    if (conflict.isPresent()) {
      return conflict.get();
    }
    for (NodeCard peer : peers) {
      boolean withUs = peer.founders().stream().anyMatch(own::isSameAs);
      if (peer.cluster().isPresent() && withUs) {
        return new Found(peer.cluster().get(), peer.founders());
      }
    }
    Optional<NodeCard> founded =
        peers.stream().filter(peer -> peer.cluster().isPresent()).findFirst();
    return founded.isPresent() ? joining(own, peers, founded.get()) : founding(own, peers);
  }

  private static Optional<Decision> conflict(NodeCard.Place own, List<NodeCard> peers) {
    Set<String> ids = new HashSet<>(Set.of(own.id()));
    for (NodeCard peer : peers) {
      if (!ids.add(peer.place().id())) {
        return Optional.of(
            new Wait(
                "two nodes have the id "
                    + peer.place().id()
                    + ", one of them "
                    + peer.place().url()
                    + ": give each its own --node-id"));
      }
    }
    return Optional.empty();
  }

  private static Decision founding(NodeCard.Place own, List<NodeCard> peers) {
    List<NodeCard.Place> founders = new ArrayList<>(List.of(own));
    peers.forEach(peer -> founders.add(peer.place()));
    founders.sort(Comparator.comparing(NodeCard.Place::id));
    String incarnations =
        founders.stream().map(NodeCard.Place::incarnation).sorted().collect(Collectors.joining());
    return new Found(UUID.nameUUIDFromBytes(incarnations.getBytes(UTF_8)), List.copyOf(founders));
  }

  // As long as a member has this node's id, its peers would take this node for that member. So this
  // node does not start before the leader says that there is none.
  private static Decision joining(NodeCard.Place own, List<NodeCard> peers, NodeCard founded) {
    UUID cluster = founded.cluster().orElseThrow();
    boolean isFree =
        peers.stream()
            .filter(peer -> peer.cluster().equals(founded.cluster()))
            .anyMatch(peer -> peer.leads() && !peer.members().contains(own.id()));
    if (isFree) {
      return new AwaitAdding(
          cluster,
          "this node waits to be added to its cluster: pensieve-server cluster add "
              + own.url()
              + " --url "
              + founded.place().url());
    }
    return new Wait(
        "this node's folder is empty, but its cluster exists: pensieve-server cluster replace "
            + own.id()
            + " "
            + own.url()
            + " --url "
            + founded.place().url());
  }
}
