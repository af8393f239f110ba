package io.pensieve.server.replication;

import io.pensieve.replication.ratis.PeerTls;
import io.pensieve.server.http.value.CurrentCapacity;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/**
 * The settings of a node of a cluster.
 *
 * @param folder where its data is
 * @param nodeId its id
 * @param url its own URL, as others reach it
 * @param peers the URLs of the others; may contain its own
 * @param raftBind the address of its Raft port; empty for all
 * @param raftPort the number of its Raft port
 * @param raftLogBytes after how much log it saves a snapshot, and forgets most of the log
 * @param raftTls mutual TLS on the Raft port; empty for none
 * @param changeBytesMax the longest change, in bytes
 * @param capacity how many entries the map has at most, and how many bytes of memory they take
 * @param secret returns the token for peers, if there is one
 * @param trust returns the context that decides which HTTP server is trusted to be a peer
 */
public record ReplicationSettings(
    Path folder,
    String nodeId,
    URI url,
    List<URI> peers,
    String raftBind,
    int raftPort,
    long raftLogBytes,
    Optional<PeerTls> raftTls,
    int changeBytesMax,
    CurrentCapacity capacity,
    Supplier<Optional<String>> secret,
    Callable<SSLContext> trust) {}
