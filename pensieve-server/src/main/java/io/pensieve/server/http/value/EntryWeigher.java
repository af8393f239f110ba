package io.pensieve.server.http.value;

import io.pensieve.Weigher;

/**
 * What an entry takes of the heap, in bytes: an estimate that {@code EntryWeigherTest} measures.
 */
public final class EntryWeigher implements Weigher<String, StoredValue> {
  /** Of this process's heap. */
  public static final EntryWeigher OF_PROCESS = new EntryWeigher(HeapShares.ofProcess());

  // The node with its places in the table and in the orders of use, of keys and of expiry; the
  // objects and array headers of key and value; and what arrays are rounded up by.
  public static final int ENTRY_BYTES = 256;

  private static final int ARRAY_HEADER_BYTES = 16;

  private final long regionBytes;

  EntryWeigher(HeapShares shares) {
    regionBytes = shares.regionBytes();
  }

  @Override
  public int weigh(String key, StoredValue value) {
    return (int) Math.min(Integer.MAX_VALUE, bytes(key, value));
  }

  /** The same of an entry of any size. */
  public long bytes(String key, StoredValue value) {
    // A character above U+00FF makes all of its text two bytes each; to count that as ever so is
    // cheaper than to look.
    return ENTRY_BYTES + 2L * key.length() + ofArray(value.bytesHeld());
  }

  /** What an array of so many bytes takes. */
  long ofArray(long length) {
    long bytes = ARRAY_HEADER_BYTES + length;
    return bytes < regionBytes / 2 ? length : (bytes + regionBytes - 1) / regionBytes * regionBytes;
  }
}
