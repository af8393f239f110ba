package io.pensieve.server.http.value;

/**
 * How a heap is shared out, so that all shares together fit it. The one place that knows.
 *
 * @param heapBytes the heap, as {@code -Xmx} sets it
 */
public record HeapShares(long heapBytes) {
  //                     of the heap
  //   entries              5/16      bounded by their weight (EntryWeigher); 7/16 if that is asked
  // for
  //   requests             4/16      bodies, and values that answers hold (MemoryBudget.OF_PROCESS)
  //   events               1/16      that wait for clients that watch (MemoryBudget.OF_WATCHERS)
  //   recent changes       1/16      without a log only
  //   connections          2/16      4 KiB for each; 32 KiB for each by default
  //   reading changes      2/16      one half by the hub, which reads a change at a time; the other
  //                                  by those who catch up with it, as many at a time as fit
  // (AdmissionQueue)
  //   all else             1/16      classes, threads, what a collector needs
  //
  // One request that is alone gets more than its share if it needs that: a body of JSON takes up to
  // four times the longest value. It is refused nothing, or the longest value could not be put.

  private static final int PARTS = 16;
  private static final int ENTRIES = 5;
  private static final int ENTRIES_MAX = 7;
  private static final int REQUESTS = 4;
  private static final int EVENTS = 1;
  private static final int RECENT_CHANGES = 1;
  private static final int CONNECTIONS = 2;
  private static final int HISTORIES = 1;

  private static final int VALUE_SHARE = 16;
  private static final int VALUE_SHARE_MAX = 12;
  private static final int VALUE_BYTES_DEFAULT = 16 << 20;

  private static final int CONNECTION_BYTES = 4 << 10;
  private static final int CONNECTION_BYTES_DEFAULT = 32 << 10;
  private static final int CONNECTIONS_DEFAULT = 20_000;
  private static final int REQUEST_BYTES = 64 << 10;
  private static final int REQUESTS_DEFAULT = 4096;
  private static final int REQUEST_BYTES_MIN = 16 << 10;
  private static final int WATCHER_BYTES = 256 << 10;
  private static final int WATCHER_BYTES_MIN = 128 << 10;

  private static final int REGION_SHARE = 2048;
  private static final long REGION_BYTES_MIN = 1 << 20;
  private static final long REGION_BYTES_MAX = 32 << 20;

  /** What has a default by the heap. */
  public enum Limit {
    CAPACITY_BYTES,
    VALUE_BYTES,
    CONNECTIONS,
    REQUESTS,
    WATCHERS
  }

  /** Those of this process. */
  public static HeapShares ofProcess() {
    return new HeapShares(Runtime.getRuntime().maxMemory());
  }

  /** The limit that holds if nobody says another one. */
  public long defaultOf(Limit limit) {
    return switch (limit) {
      case CAPACITY_BYTES -> capacityBytesDefault();
      case VALUE_BYTES -> valueBytesDefault();
      case CONNECTIONS -> connectionsDefault();
      case REQUESTS -> requestsDefault();
      case WATCHERS -> watchersDefault();
    };
  }

  private long parts(int count) {
    return heapBytes / PARTS * count;
  }

  /** What the entries may take, if nobody says. */
  long capacityBytesDefault() {
    return parts(ENTRIES);
  }

  /** What the entries may take at most. */
  public long capacityBytesMax() {
    return parts(ENTRIES_MAX);
  }

  public long requestBytes() {
    return parts(REQUESTS);
  }

  public long eventBytes() {
    return parts(EVENTS);
  }

  /** What may be read of the log for those who are behind. */
  public long historyBytes() {
    return parts(HISTORIES);
  }

  /** What the last changes may take that are kept where there is no log. */
  public long recentChangeBytes() {
    return parts(RECENT_CHANGES);
  }

  /** The longest value, if nobody says: 16 MiB, unless the heap is below 192 MiB. */
  long valueBytesDefault() {
    return valueBytesMax() >= VALUE_BYTES_DEFAULT ? VALUE_BYTES_DEFAULT : heapBytes / VALUE_SHARE;
  }

  /** The longest value at most. */
  public long valueBytesMax() {
    return heapBytes / VALUE_SHARE_MAX;
  }

  /** How many connections, if nobody says. */
  long connectionsDefault() {
    return Math.min(CONNECTIONS_DEFAULT, Math.max(1, heapBytes / CONNECTION_BYTES_DEFAULT));
  }

  /** How many connections at most. */
  public long connectionsMax() {
    return Math.max(1, parts(CONNECTIONS) / CONNECTION_BYTES);
  }

  /** How many requests, if nobody says. */
  long requestsDefault() {
    return Math.min(REQUESTS_DEFAULT, Math.max(1, heapBytes / REQUEST_BYTES));
  }

  /** How many requests at most: what is not counted of each is 16 KiB of its head or body. */
  public long requestsMax() {
    return Math.max(1, heapBytes / REQUEST_BYTES_MIN);
  }

  /** How many clients that watch, if nobody says. */
  long watchersDefault() {
    return Math.min(WaitLimits.DEFAULT_WATCHERS_MAX, Math.max(1, heapBytes / WATCHER_BYTES));
  }

  /** How many clients that watch at most: each has a connection, and a piece that is being sent. */
  public long watchersMax() {
    return Math.max(1, heapBytes / WATCHER_BYTES_MIN);
  }

  /**
   * The unit in which G1 gives memory to arrays of half of it or more. Its own rule, with the
   * largest heap for the average one.
   */
  long regionBytes() {
    long share = Long.highestOneBit(Math.max(1, heapBytes / REGION_SHARE));
    return Math.min(REGION_BYTES_MAX, Math.max(REGION_BYTES_MIN, share));
  }
}
