package io.pensieve.server.replication;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** The data folder of a node of a cluster. Loads nothing of the consensus engine. */
public final class RaftFolder {
  private static final String RAFT = "raft";

  private RaftFolder() {}

  /** Returns whether this folder is that of a node of a cluster. */
  public static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(RAFT));
  }

  /** Returns whether the engine has ever been started in this folder, in this cluster. */
  static boolean hasLog(Path folder, UUID cluster) {
    return Files.exists(folder.resolve(RAFT).resolve(cluster.toString()));
  }
}
