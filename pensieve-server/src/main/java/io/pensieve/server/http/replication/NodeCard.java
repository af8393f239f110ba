package io.pensieve.server.http.replication;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What a node tells its peers of itself, so that they can found a cluster, or find out that they
 * must not.
 *
 * @param place how the node is reached, and its incarnation
 * @param cluster the cluster that its folder belongs to; empty if to none
 * @param founders the places of those who founded that cluster together; empty if there is none
 * @param members the ids of the members, as the node knows them
 * @param leads whether the node leads the cluster
 */
public record NodeCard(
    Place place,
    Optional<UUID> cluster,
    List<Place> founders,
    List<String> members,
    boolean leads) {

  /**
   * How a node is reached.
   *
   * @param id its id
   * @param incarnation a random name that its folder got when it was empty
   * @param url the URL of its HTTP server
   * @param raftHost the name or address of its Raft port
   * @param raftPort the number of its Raft port
   */
  public record Place(String id, String incarnation, URI url, String raftHost, int raftPort) {
    /** Returns whether the other place is that of the same folder of the same node. */
    public boolean isSameAs(Place other) {
      return incarnation.equals(other.incarnation);
    }

    /** Returns the JSON that {@link #read} reads. */
    public JsonObject toJson() {
      JsonObject json = new JsonObject();
      json.addProperty("id", id);
      json.addProperty("incarnation", incarnation);
      json.addProperty("url", url.toString());
      json.addProperty("raft_host", raftHost);
      json.addProperty("raft_port", raftPort);
      return json;
    }

    /** Reads a place. Throws some exception if this is none. */
    public static Place read(JsonObject json) {
      return new Place(
          json.get("id").getAsString(),
          json.get("incarnation").getAsString(),
          URI.create(json.get("url").getAsString()),
          json.get("raft_host").getAsString(),
          json.get("raft_port").getAsInt());
    }
  }

  /** Returns the JSON that {@link #read} reads. */
  public String toJson() {
    JsonObject json = new JsonObject();
    json.add("place", place.toJson());
    cluster.ifPresent(id -> json.addProperty("cluster", id.toString()));
    JsonArray places = new JsonArray();
    founders.forEach(founder -> places.add(founder.toJson()));
    json.add("founders", places);
    JsonArray ids = new JsonArray();
    members.forEach(ids::add);
    json.add("members", ids);
    json.addProperty("leads", leads);
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
          Place.read(json.getAsJsonObject("place")),
          json.has("cluster")
              ? Optional.of(UUID.fromString(json.get("cluster").getAsString()))
              : Optional.empty(),
          places(json.getAsJsonArray("founders")),
          texts(json.getAsJsonArray("members")),
          json.get("leads").getAsBoolean());
    } catch (JsonParseException
        | IllegalStateException
        | NullPointerException
        | ClassCastException
        | IllegalArgumentException notACard) {
      throw new IOException("what the node answered is not understood here", notACard);
    }
  }

  private static List<Place> places(JsonArray array) {
    List<Place> places = new ArrayList<>();
    array.forEach(place -> places.add(Place.read(place.getAsJsonObject())));
    return List.copyOf(places);
  }

  private static List<String> texts(JsonArray array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.getAsString()));
    return List.copyOf(texts);
  }
}
