package io.pensieve.server.http.replication;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What a node tells its peers of itself, so that they can found a cluster, or find out that they
 * must not.
 *
 * @param id the node's id
 * @param incarnation the random id of its folder
 * @param url the URL of its HTTP server
 * @param raftHost the name or address of its Raft port
 * @param raftPort the number of its Raft port
 * @param cluster the id of its cluster, if it is in one
 * @param founders the incarnations of those who founded that cluster, by their ids
 * @param invited the incarnations of the nodes that may join now
 * @param capacity how many entries the node holds at most
 * @param capacityBytes how many bytes of memory they take at most
 */
public record NodeCard(
    String id,
    UUID incarnation,
    URI url,
    String raftHost,
    int raftPort,
    Optional<UUID> cluster,
    Map<String, UUID> founders,
    Set<UUID> invited,
    long capacity,
    long capacityBytes) {

  /** Returns the JSON that {@link #read} reads. */
  public String toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("id", id);
    json.addProperty("incarnation", incarnation.toString());
    json.addProperty("url", url.toString());
    json.addProperty("raft_host", raftHost);
    json.addProperty("raft_port", raftPort);
    cluster.ifPresent(known -> json.addProperty("cluster", known.toString()));
    JsonObject byId = new JsonObject();
    founders.forEach((founder, of) -> byId.addProperty(founder, of.toString()));
    json.add("founders", byId);
    JsonArray guests = new JsonArray();
    invited.forEach(guest -> guests.add(guest.toString()));
    json.add("invited", guests);
    json.addProperty("capacity", capacity);
    json.addProperty("capacity_bytes", capacityBytes);
    return json.toString();
  }

  /**
   * Reads a card.
   *
   * @throws IOException if the bytes are no card
   */
  public static NodeCard read(byte[] bytes) throws IOException {
    try {
      JsonObject json =
          JsonParser.parseString(new String(bytes, StandardCharsets.UTF_8)).getAsJsonObject();
      return new NodeCard(
          json.get("id").getAsString(),
          UUID.fromString(json.get("incarnation").getAsString()),
          URI.create(json.get("url").getAsString()),
          json.get("raft_host").getAsString(),
          json.get("raft_port").getAsInt(),
          json.has("cluster")
              ? Optional.of(UUID.fromString(json.get("cluster").getAsString()))
              : Optional.empty(),
          founders(json.getAsJsonObject("founders")),
          invited(json.getAsJsonArray("invited")),
          json.get("capacity").getAsLong(),
          json.get("capacity_bytes").getAsLong());
    } catch (JsonParseException
        | IllegalStateException
        | NullPointerException
        | ClassCastException
        | IllegalArgumentException notACard) {
      throw new IOException("what the node answers is not understood here", notACard);
    }
  }

  private static Map<String, UUID> founders(JsonObject json) {
    Map<String, UUID> founders = new HashMap<>();
    json.entrySet()
        .forEach(
            founder ->
                founders.put(founder.getKey(), UUID.fromString(founder.getValue().getAsString())));
    return Map.copyOf(founders);
  }

  private static Set<UUID> invited(JsonArray json) {
    Set<UUID> invited = new HashSet<>();
    json.forEach(guest -> invited.add(UUID.fromString(guest.getAsString())));
    return Set.copyOf(invited);
  }
}
