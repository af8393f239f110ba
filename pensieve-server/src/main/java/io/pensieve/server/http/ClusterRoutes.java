package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.pensieve.server.http.json.JsonObjectReader;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.replication.ReplicationState;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The routes for heartbeats and the state of the cluster. */
final class ClusterRoutes {
  private static final HttpString PENSIEVE_NODE_ID = new HttpString("Pensieve-Node-Id");
  private static final Map<String, JsonToken> BEAT_FIELDS = Map.of("node_id", JsonToken.NUMBER);
  private static final int BEAT_BYTES_MAX = 1 << 10;
  private static final double PHI_MAX = 1e9; // far beyond the result of any detector

  private final Cluster cluster;
  private final Optional<Replication> replication;

  ClusterRoutes(Cluster cluster, Optional<Replication> replication) {
    this.cluster = cluster;
    this.replication = replication;
  }

  void heartbeat(HttpServerExchange exchange) throws Exception {
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        BEAT_BYTES_MAX,
        body -> {
          long sender = JsonObjectReader.read(body, BEAT_FIELDS).wholeNumber("node_id");
          cluster.onHeartbeat(sender);
          exchange.getResponseHeaders().put(PENSIEVE_NODE_ID, cluster.nodeId());
          JsonResponses.object(
              exchange, json -> json.name("status").value("ok").name("node_id").value(sender));
        });
  }

  void cluster(HttpServerExchange exchange) {
    JsonResponses.object(
        exchange,
        json -> {
          json.name("node_id").value(cluster.nodeId()).name("peers").beginArray();
          for (Cluster.Peer peer : cluster.peers()) {
            write(json, peer);
          }
          json.endArray();
          if (replication.isPresent()) {
            write(json, replication.get().state());
          }
        });
  }

  private static void write(JsonWriter json, ReplicationState state) throws IOException {
    json.name("role").value(state.role());
    json.name("leader").value(state.leader().orElse(null));
    json.name("term").value(state.term());
    json.name("commit_index").value(state.committedIndex());
    json.name("applied_index").value(state.appliedIndex());
    json.name("waits_for").value(state.waitsFor().orElse(null));
    json.name("members").beginArray();
    for (ReplicationState.Member member : state.members()) {
      json.beginObject();
      json.name("id").value(member.id());
      json.name("url").value(member.url().toString());
      write(json.name("lag"), known(member.lag()));
      write(json.name("silent_ms"), known(member.silentMillis()));
      json.endObject();
    }
    json.endArray();
  }

  private static OptionalLong known(long number) {
    return number < 0 ? OptionalLong.empty() : OptionalLong.of(number);
  }

  private static void write(JsonWriter json, Cluster.Peer peer) throws IOException {
    json.beginObject();
    json.name("url").value(peer.url().toString());
    write(json.name("id"), peer.id());
    json.name("state").value(peer.state());
    json.name("phi").value(rounded(peer.phi()));
    write(json.name("last_heard_ms"), peer.lastHeardMillis());
    json.name("since_ms").value(peer.sinceMillis());
    json.endObject();
  }

  // Three decimals are more than enough. JSON has no infinity.
  private static double rounded(double phi) {
    return Math.min(phi, PHI_MAX) == PHI_MAX ? PHI_MAX : Math.round(phi * 1e3) / 1e3;
  }

  private static void write(JsonWriter json, OptionalLong number) throws IOException {
    if (number.isPresent()) {
      json.value(number.getAsLong());
    } else {
      json.nullValue();
    }
  }
}
