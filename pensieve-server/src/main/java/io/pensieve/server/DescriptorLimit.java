package io.pensieve.server;

import io.pensieve.server.http.metrics.FileDescriptors;
import java.io.PrintStream;

/** How many files this process may have open, and how many of them are left for connections. */
final class DescriptorLimit {
  /** For the log's next files, for peers, for what is read again. */
  static final int RESERVE = 48;

  private DescriptorLimit() {}

  /**
   * Cuts the number of connections to what this process may have open beside its files. With more
   * of them a connection could take the descriptor that the log needs, and while there is none no
   * connection is accepted.
   *
   * @param err is told if there are fewer than were asked for
   */
  static int connectionsMax(int asked, PrintStream err) {
    FileDescriptors now = FileDescriptors.ofProcess();
    return connectionsMax(asked, now.max(), now.open(), err);
  }

  /** The same for a process that may have so many files open, of which it has so many. */
  static int connectionsMax(int asked, long max, long open, PrintStream err) {
    long left = Math.max(max - open - RESERVE, 1);
    if (max <= 0 || asked <= left) {
      return asked;
    }
    err.printf(
        "pensieve-server: %s is %d, not %d: this process may have %d files open (ulimit -n)%n",
        Setting.CONNECTIONS_MAX.title(), left, asked, max);
    return (int) left;
  }
}
