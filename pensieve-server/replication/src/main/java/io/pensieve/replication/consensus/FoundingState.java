package io.pensieve.replication.consensus;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What a node tells its peers of the cluster that it is in, or looks for.
 *
 * @param id the node's id
 * @param incarnation the random id of the node's folder: a folder that was emptied has a new one
 * @param cluster the id of the cluster, if the node is in one
 * @param founders the incarnations of the members that founded the cluster, by their ids; none if
 *     this node joined it later
 * @param invited the incarnations of the nodes that may join now
 */
public record FoundingState(
    String id,
    UUID incarnation,
    Optional<UUID> cluster,
    Map<String, UUID> founders,
    Set<UUID> invited) {

  /** Copies the collections. */
  public FoundingState {
    founders = Map.copyOf(founders);
    invited = Set.copyOf(invited);
  }
}
