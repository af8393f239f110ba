package io.pensieve.server.replication;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.pensieve.log.LogException;
import io.pensieve.server.http.replication.NodeCard;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What the folder of a node remembers: whose it is, and which cluster it belongs to.
 *
 * <p>Invariant: an incarnation is forced to disk before anybody learns it, and a cluster before the
 * engine starts. So a folder that was emptied never passes for the one before.
 *
 * @param nodeId the node that the folder belongs to
 * @param incarnation a random name that the folder got when it was empty
 * @param cluster the cluster; empty as long as the folder belongs to none
 * @param founders who founded it together; empty if this node was added later
 */
public record NodeIdentity(
    String nodeId, String incarnation, Optional<UUID> cluster, List<NodeCard.Place> founders) {
  private static final String FILE = "node.json";

  /**
   * Reads the identity in this folder, or makes one if there is none.
   *
   * @throws LogException if it cannot be read or written, or belongs to another node
   */
  static NodeIdentity in(Path folder, String nodeId) {
    Path file = folder.resolve(FILE);
    try {
      Files.createDirectories(folder);
      if (!Files.exists(file)) {
        NodeIdentity fresh =
            new NodeIdentity(nodeId, UUID.randomUUID().toString(), Optional.empty(), List.of());
        fresh.saveIn(folder);
        return fresh;
      }
      NodeIdentity read = read(JsonParser.parseString(Files.readString(file)).getAsJsonObject());
      if (!read.nodeId.equals(nodeId)) {
        throw new LogException.Failed(
            folder + " belongs to node " + read.nodeId + ", and this is node " + nodeId, null);
      }
      return read;
    } catch (IOException
        | JsonParseException
        | IllegalStateException
        | NullPointerException
        | IllegalArgumentException unreadable) {
      throw new LogException.Failed("cannot read " + file + ": " + unreadable, unreadable);
    }
  }

  /** Returns whether this folder has ever been one of a node of a cluster. */
  public static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(FILE));
  }

  private static NodeIdentity read(JsonObject json) {
    List<NodeCard.Place> founders = new ArrayList<>();
    json.getAsJsonArray("founders")
        .forEach(place -> founders.add(NodeCard.Place.read(place.getAsJsonObject())));
    return new NodeIdentity(
        json.get("node_id").getAsString(),
        json.get("incarnation").getAsString(),
        json.has("cluster")
            ? Optional.of(UUID.fromString(json.get("cluster").getAsString()))
            : Optional.empty(),
        List.copyOf(founders));
  }

  /** Returns this identity as that of a node of a cluster. */
  NodeIdentity of(UUID newCluster, List<NodeCard.Place> newFounders) {
    return new NodeIdentity(nodeId, incarnation, Optional.of(newCluster), newFounders);
  }

  /** Writes this identity, and forces it to disk. */
  void saveIn(Path folder) throws IOException {
    JsonObject json = new JsonObject();
    json.addProperty("node_id", nodeId);
    json.addProperty("incarnation", incarnation);
    cluster.ifPresent(id -> json.addProperty("cluster", id.toString()));
    JsonArray places = new JsonArray();
    founders.forEach(founder -> places.add(founder.toJson()));
    json.add("founders", places);
    Path fresh = folder.resolve(FILE + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap((json + "\n").getBytes(UTF_8));
      while (bytes.hasRemaining()) {
        int unused = out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel opened = FileChannel.open(folder)) {
      opened.force(true); // the new name, too
    }
  }
}
