package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Member;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The settings of a member. Its builder sets them; once it is built, nobody does. */
final class EngineSettings {
  /**
   * A follower that has not heard of a leader for so long, and up to half as much again, may lead
   * itself. In ten failovers writes came back after 1.2 s in the middle and 1.9 s at most; with 1
   * to 2 s it was 1.7 and 2.5 s. With 0.3 to 0.6 s leaders stepped down under load.
   */
  static final int ELECTION_MILLIS = 800;

  /**
   * How long a member takes to stop at most. It takes some seconds on a busy machine; a folder that
   * is left open cannot be opened again by this process.
   */
  static final long CLOSE_MILLIS = 30_000;

  static final int SEGMENT_BYTES_MAX = 32 << 20;

  final Path folder;
  final UUID cluster;
  final String self;
  List<Member> members = List.of();
  String host = "";
  int port;
  int entryBytesMax = 18 << 20;
  @Nullable PeerTls tls;
  Consumer<String> events = line -> {};
  long reserveBytes = 128L << 20;
  DiskGuard.FreeSpace free = this::freeBytes;
  int electionMillis = ELECTION_MILLIS;
  long closeMillis = CLOSE_MILLIS;
  int segmentBytes = SEGMENT_BYTES_MAX;
  long retainedBytes = 64L << 20;

  EngineSettings(Path folder, UUID cluster, String self) {
    this.folder = folder;
    this.cluster = cluster;
    this.self = self;
  }

  private long freeBytes() throws IOException {
    return Files.getFileStore(folder).getUsableSpace();
  }
}
