package io.pensieve.server.http.value;

import io.pensieve.Weigher;

/** Estimates the heap bytes of an entry. {@code EntryWeigherTest} measures the estimate. */
public final class EntryWeigher implements Weigher<String, StoredValue> {
  /** The weigher for the heap of this process. */
  public static final EntryWeigher OF_PROCESS = new EntryWeigher(HeapShares.ofProcess());

  // The node with its places in the table and in the orders of use, of keys and of expiry; the
  // objects and array headers of key and value; and the padding of arrays.
  public static final int ENTRY_BYTES = 320;

  private static final int ARRAY_HEADER_BYTES = 16;

  private final long regionBytes;

  EntryWeigher(HeapShares shares) {
    regionBytes = shares.regionBytes();
  }

  @Override
  public long weigh(String key, StoredValue value) {
    // One character above U+00FF makes the whole text use two bytes per character. Always counting
    // two is cheaper than checking.
    return ENTRY_BYTES + 2L * key.length() + ofArray(value.bytesHeld());
  }

  /** Returns the heap bytes of an array of this many bytes. */
  long ofArray(long length) {
    long bytes = ARRAY_HEADER_BYTES + length;
    return bytes < regionBytes / 2 ? length : (bytes + regionBytes - 1) / regionBytes * regionBytes;
  }
}
