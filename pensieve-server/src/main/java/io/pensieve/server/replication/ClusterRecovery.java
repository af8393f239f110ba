package io.pensieve.server.replication;

import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.format.EntryHeader;
import io.pensieve.replication.ratis.Survivor;
import io.pensieve.replication.ratis.Survivor.Remains;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;

/**
 * Makes a cluster of one out of the one node that is left of a cluster, offline, and says what may
 * be lost by that.
 */
public final class ClusterRecovery {
  private final Path folder;
  private final Member self;
  private final PrintStream out;

  /**
   * Reads nothing yet.
   *
   * @param folder the node's folder
   * @param id its id
   * @param url its URL, as others will reach it
   * @param raftPort its Raft port
   */
  public ClusterRecovery(Path folder, String id, URI url, int raftPort, PrintStream out) {
    this.folder = folder;
    this.self = new Member(id, url.getHost(), raftPort, url);
    this.out = out;
  }

  /**
   * Prints what the node has, and what may be lost. Changes nothing.
   *
   * @throws IOException if the folder is not that of a node of a cluster, if the node runs, or if
   *     its log is damaged
   */
  public void explain() throws IOException {
    requireNode();
    long[] version = {0};
    Remains found = Survivor.look(folder, entry -> version[0] = laterVersion(version[0], entry));
    out.printf("%s is of a node of cluster %s. It has%n", folder, found.cluster());
    out.printf(
        "  %-16s %d, of term %d, written %s%n",
        "entries up to",
        found.last().index(),
        found.last().term(),
        found.written().truncatedTo(ChronoUnit.SECONDS));
    if (version[0] > 0) {
      out.printf("  %-16s %d%n", "versions up to", version[0]);
    }
    out.println(
        "A recovery keeps all of these entries, committed or not. It loses all later ones,");
    out.println("which the other nodes acknowledged without this one; nobody knows how many. If");
    out.println(
        "other folders are left, recover only the one with the highest term of these lines,");
    out.println("and of several the one with the most entries. Never start the others again with");
    out.println("what they have: they would go on as the old cluster.");
  }

  private void requireNode() throws IOException {
    if (!RaftFolder.isIn(folder)) {
      throw new IOException(folder + " is not the folder of a node of a cluster");
    }
  }

  private static long laterVersion(long version, byte[] entry) {
    EntryHeader header = EntryHeader.read(entry);
    boolean hasChanges = !header.isBegin() && header.count() > 0;
    return hasChanges ? Math.max(version, header.last()) : version;
  }

  /**
   * Makes the new cluster, and says what to do next. May be called again if it was cut short.
   *
   * @throws IOException as {@link #explain}, and if the folder is that of a node with another id
   */
  public void run() throws IOException {
    requireNode();
    var unused = Survivor.becomeCluster(folder, self);
    out.printf("recovered: node %s is a cluster of its own, at %s%n", self.id(), self.url());
    printNextSteps(out, self);
  }

  /** Prints how a cluster of one grows. */
  static void printNextSteps(PrintStream out, Member only) {
    out.printf("1. Start it as a node, with --replicate and Raft port %d.%n", only.port());
    out.printf("2. Start the others with empty folders and --peers %s%n", only.url());
    out.printf("3. Add each: pensieve-server cluster add URL --url %s%n", only.url());
  }
}
