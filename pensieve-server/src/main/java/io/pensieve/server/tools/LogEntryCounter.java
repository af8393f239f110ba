package io.pensieve.server.tools;

import io.pensieve.log.Change;
import io.pensieve.log.ReplayHandler;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;

/**
 * Counts the records of a log, and the entries that remain at the end. Keeps their keys in memory.
 */
public final class LogEntryCounter implements ReplayHandler<byte[], byte[]> {
  private final Set<ByteBuffer> keys = new HashSet<>();
  private long saved;
  private long puts;
  private long removals;
  private long touches;

  @Override
  public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {
    saved++;
    keys.add(ByteBuffer.wrap(put.key()));
  }

  @Override
  public void change(long sequence, Change<byte[], byte[]> change) {
    ByteBuffer key = ByteBuffer.wrap(change.key());
    if (change instanceof Change.Put<byte[], byte[]>) {
      puts++;
      keys.add(key);
    } else if (change instanceof Change.Remove<byte[], byte[]>) {
      removals++;
      keys.remove(key);
    } else {
      touches++;
    }
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {}

  public int entries() {
    return keys.size();
  }

  @Override
  public String toString() {
    return saved
        + " saved entries, "
        + puts
        + " puts, "
        + removals
        + " removals, "
        + touches
        + " touches";
  }
}
