package io.pensieve.server.http.value;

/**
 * Divides the heap, so that all shares together fit. Only this class knows the shares.
 *
 * @param heapBytes the heap size, as set by {@code -Xmx}
 */
public record HeapShares(long heapBytes) {
  //                     share of the heap
  //   entries              5/16      bounded by their weight (EntryWeigher); 7/16 on request
  //   requests             4/16      bodies, and values of responses (MemoryBudget.OF_PROCESS)
  //   events               1/16      queued for watchers (MemoryBudget.OF_WATCHERS)
  //   recent changes       1/16      only without a log
  //   connections          2/16      4 KiB for each; 32 KiB for each by default
  //   reading changes      2/16      half for the hub, which reads one change at a time; half for
  //                                  watchers that catch up, as many as fit (AdmissionQueue)
  //   everything else      1/16      classes, threads, reserve of the garbage collector
  //
  // A single request may exceed its share if it is the only one. A JSON body takes up to four times
  // the longest value, so otherwise the longest value could not be put.

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

  /** The limits whose default depends on the heap. */
  public enum Limit {
    CAPACITY_BYTES,
    VALUE_BYTES,
    CONNECTIONS,
    REQUESTS,
    WATCHERS
  }

  /** Returns the shares of this process's heap. */
  public static HeapShares ofProcess() {
    return new HeapShares(Runtime.getRuntime().maxMemory());
  }

  /** Returns the default of a limit. */
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

  /** Returns the default heap bytes of all entries. */
  long capacityBytesDefault() {
    return parts(ENTRIES);
  }

  /** Returns the maximum heap bytes of all entries. */
  public long capacityBytesMax() {
    return parts(ENTRIES_MAX);
  }

  public long requestBytes() {
    return parts(REQUESTS);
  }

  public long eventBytes() {
    return parts(EVENTS);
  }

  /** Returns how many bytes of the log watchers may read to catch up. */
  public long historyBytes() {
    return parts(HISTORIES);
  }

  /** Returns how many bytes the recent changes may take that are kept without a log. */
  public long recentChangeBytes() {
    return parts(RECENT_CHANGES);
  }

  /** Returns the default length of the longest value: 16 MiB, unless the heap is below 192 MiB. */
  long valueBytesDefault() {
    return valueBytesMax() >= VALUE_BYTES_DEFAULT ? VALUE_BYTES_DEFAULT : heapBytes / VALUE_SHARE;
  }

  /** Returns the maximum length of the longest value. */
  public long valueBytesMax() {
    return heapBytes / VALUE_SHARE_MAX;
  }

  /** Returns the default number of connections. */
  long connectionsDefault() {
    return Math.min(CONNECTIONS_DEFAULT, Math.max(1, heapBytes / CONNECTION_BYTES_DEFAULT));
  }

  /** Returns the maximum number of connections. */
  public long connectionsMax() {
    return Math.max(1, parts(CONNECTIONS) / CONNECTION_BYTES);
  }

  /** Returns the default number of requests. */
  long requestsDefault() {
    return Math.min(REQUESTS_DEFAULT, Math.max(1, heapBytes / REQUEST_BYTES));
  }

  /**
   * Returns the maximum number of requests: each has 16 KiB of head or body that is not counted.
   */
  public long requestsMax() {
    return Math.max(1, heapBytes / REQUEST_BYTES_MIN);
  }

  /** Returns the default number of watchers. */
  long watchersDefault() {
    return Math.min(WaitLimits.DEFAULT_WATCHERS_MAX, Math.max(1, heapBytes / WATCHER_BYTES));
  }

  /**
   * Returns the maximum number of watchers: each has a connection, and a piece that is being sent.
   */
  public long watchersMax() {
    return Math.max(1, heapBytes / WATCHER_BYTES_MIN);
  }

  /**
   * Returns G1's region size: G1 allocates arrays of half a region or more in whole regions. The
   * formula is G1's own, with the maximum heap in place of the average one.
   */
  long regionBytes() {
    long share = Long.highestOneBit(Math.max(1, heapBytes / REGION_SHARE));
    return Math.min(REGION_BYTES_MAX, Math.max(REGION_BYTES_MIN, share));
  }
}
