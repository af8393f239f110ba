package io.pensieve.server.http.value;

/** How many entries a server holds, and how many bytes they take at most, as set last. */
public final class CurrentCapacity {
  private volatile long entries;
  private volatile long bytes;

  public CurrentCapacity(long entries, long bytes) {
    this.entries = entries;
    this.bytes = bytes;
  }

  public long entries() {
    return entries;
  }

  public long bytes() {
    return bytes;
  }

  /** Records what the map has from now on. */
  public void set(long newEntries, long newBytes) {
    entries = newEntries;
    bytes = newBytes;
  }
}
