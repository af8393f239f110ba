package io.pensieve.log.file;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The owner of a folder's lock: the one line of its file {@code LOCK}. A later process learns from
 * it whether the owner's process still runs.
 *
 * <p>A process id alone proves nothing. Systems reuse ids, and two containers may both have a
 * process 1. So the line also names the process's start, the start of the operating system, and the
 * pid namespace. The file's inode distinguishes the folder from a copy of it, whose {@code LOCK}
 * means nothing.
 *
 * @param start when the process started, in ticks since the operating system did
 * @param boot the boot of the operating system
 * @param namespace the namespace of the process id
 * @param inode the inode of the lock file itself
 * @param token random, so that no two owners are equal
 */
record LockOwner(
    String pid, String start, String boot, String namespace, String inode, String token) {

  private static final String UNKNOWN = "-";
  private static final int FIELDS = 6;
  private static final int START_FIELD = 22 - 3; // in proc(5), counted from the state on
  private static final Pattern PROCESS_ID = Pattern.compile("[0-9]{1,10}");
  private static final SecureRandom TOKENS = new SecureRandom();

  /** The state of an owner's process, as far as it is known. */
  enum Liveness {
    ALIVE,
    ENDED,
    /** It ran on another machine, in another container, or where the system shows no processes. */
    UNKNOWN
  }

  /** This process, as the owner of a lock file. */
  static LockOwner here(String inode) {
    String pid = String.valueOf(ProcessHandle.current().pid());
    String token = Long.toHexString(TOKENS.nextLong());
    List<String> stat = Proc.stat("self");
    if (!stat.isEmpty() && stat.get(0).equals(pid)) {
      String start = stat.get(1 + START_FIELD);
      return new LockOwner(pid, start, Proc.boot(), Proc.namespace(), inode, token);
    }
    return new LockOwner(pid, UNKNOWN, UNKNOWN, UNKNOWN, inode, token); // no /proc, or not ours
  }

  /** The owner in the content of a lock file; null if it names none. */
  static @Nullable LockOwner parse(byte[] content) {
    // The rest of a longer, older line may follow this one.
    String line = new String(content, StandardCharsets.US_ASCII).split("\n", 2)[0];
    String[] fields = line.trim().split(" ", -1);
    return fields.length == FIELDS && PROCESS_ID.matcher(fields[0]).matches()
        ? new LockOwner(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5])
        : null;
  }

  byte[] line() {
    String line = String.join(" ", pid, start, boot, namespace, inode, token) + "\n";
    return line.getBytes(StandardCharsets.US_ASCII);
  }

  /** Whether both have locked the same file, rather than one of them a copy. */
  boolean hasInodeOf(LockOwner other) {
    return inode.equals(other.inode);
  }

  /** Whether the owner is this process. */
  boolean isHere(LockOwner here) {
    return isNeighbour(here) && pid.equals(here.pid) && start.equals(here.start);
  }

  private boolean isNeighbour(LockOwner here) {
    return !boot.equals(UNKNOWN)
        && boot.equals(here.boot)
        && !namespace.equals(UNKNOWN)
        && namespace.equals(here.namespace);
  }

  Liveness liveness(LockOwner here) {
    return isNeighbour(here) ? liveness() : Liveness.UNKNOWN;
  }

  private Liveness liveness() {
    List<String> stat = Proc.stat(pid);
    if (stat.isEmpty()) {
      // Where the system hides other users' processes, an invisible process may still run.
      return Proc.stat("1").isEmpty() ? Liveness.UNKNOWN : Liveness.ENDED;
    } else if (!stat.get(1 + START_FIELD).equals(start)) {
      return Liveness.ENDED; // and another process has its id now
    }
    // A zombie process may have ended, or only its first thread may have.
    return stat.get(1).equals("Z") || stat.get(1).equals("X") ? Liveness.UNKNOWN : Liveness.ALIVE;
  }

  /** The process file system, if the system has one. */
  private static final class Proc {
    private static final Path ROOT = Path.of("/proc");

    private Proc() {}

    /** A process's id, then the fields behind its name; empty if the process is not visible. */
    static List<String> stat(String pid) {
      try {
        String line = Files.readString(ROOT.resolve(pid).resolve("stat"));
        int name = line.indexOf(" (");
        String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
        List<String> stat = new ArrayList<>(List.of(line.substring(0, name)));
        stat.addAll(List.of(fields));
        return stat.size() > 1 + START_FIELD ? stat : List.of();
      } catch (IOException | IndexOutOfBoundsException notSeen) {
        return List.of();
      }
    }

    static String boot() {
      try {
        return Files.readString(ROOT.resolve("sys/kernel/random/boot_id")).trim();
      } catch (IOException notLinux) {
        return UNKNOWN;
      }
    }

    static String namespace() {
      try {
        return Files.readSymbolicLink(ROOT.resolve("self/ns/pid")).toString();
      } catch (IOException | UnsupportedOperationException noNamespaces) {
        return UNKNOWN;
      }
    }
  }
}
