package io.pensieve.replication.consensus;

import java.net.URI;

/**
 * A node of a cluster.
 *
 * @param id the node's name, unique within the cluster
 * @param host the name or address at which peers reach its Raft port; resolved at each connect
 * @param port its Raft port
 * @param url where clients and other nodes reach its HTTP server
 */
public record Member(String id, String host, int port, URI url) {}
