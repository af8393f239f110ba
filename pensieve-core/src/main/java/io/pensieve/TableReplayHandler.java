package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.ReplayHandler;
import io.pensieve.lru.TableRestorer;
import java.util.Optional;

/** Passes a replayed log to the restorer of the table. */
record TableReplayHandler<K, V>(TableRestorer<K, V> restorer, RecoveryListener listener)
    implements ReplayHandler<K, V> {

  @Override
  public void change(long sequence, Change<K, V> change) {
    restore(sequence, sequence, change);
    if (!(change instanceof Change.Put)) {
      restorer.completeUpTo(sequence);
    }
  }

  private void restore(long sequence, long stamp, Change<K, V> change) {
    if (change instanceof Change.Put<K, V> put) {
      restorer.put(put.key(), put.value(), put.expiryMillis(), sequence, stamp);
    } else if (change instanceof Change.Remove<K, V> remove) {
      restorer.remove(remove.key(), sequence);
    } else {
      restorer.touch(change.key(), stamp, sequence);
    }
  }

  @Override
  public void entry(Change.Put<K, V> put, long version, long stamp) {
    restorer.put(put.key(), put.value(), put.expiryMillis(), version, stamp);
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {
    listener.recovered(bytesRead, bytesTotal);
  }

  @Override
  public Optional<Unordered<K, V>> unordered() {
    restorer.allowSecondPass();
    return Optional.of(new UnorderedHandler());
  }

  private final class UnorderedHandler implements Unordered<K, V> {
    @Override
    public void change(long sequence, long stamp, Change<K, V> change) {
      if (change instanceof Change.Put<K, V> put) { // most changes, with one call less to compile
        restorer.put(put.key(), put.value(), put.expiryMillis(), sequence, stamp);
      } else {
        restore(sequence, stamp, change);
      }
    }

    @Override
    public void entry(Change.Put<K, V> put, long version, long stamp) {
      TableReplayHandler.this.entry(put, version, stamp);
    }

    @Override
    public void completeUpTo(long sequence) {
      restorer.completeUpTo(sequence);
    }

    @Override
    public void expect(long bytesReplayed, long bytesTotal) {
      restorer.expect((double) bytesTotal / bytesReplayed);
    }

    @Override
    public boolean needsSecondPass() {
      return restorer.needsSecondPass();
    }
  }
}
