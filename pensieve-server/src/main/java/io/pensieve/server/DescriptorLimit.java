package io.pensieve.server;

import io.pensieve.server.http.metrics.FileDescriptors;
import java.io.PrintStream;

/** Limits the connections to the file descriptors that this process has left. */
final class DescriptorLimit {
  /** Reserved for new log files, peers, and reloaded files. */
  static final int RESERVE = 48;

  private DescriptorLimit() {}

  /**
   * Limits the number of connections to the free descriptors. With more, a connection could take
   * the descriptor that the log needs. Without a free descriptor, no connection is accepted.
   *
   * @param err receives a line if the limit is lower than asked for
   */
  static int connectionsMax(int asked, PrintStream err) {
    FileDescriptors now = FileDescriptors.ofProcess();
    return connectionsMax(asked, now.max(), now.open(), err);
  }

  /** Like the method above, for a process with this maximum and this number of open files. */
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
