package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.Replay;
import io.pensieve.lru.Restoration;
import java.util.Optional;

/** What a log tells while it is replayed, as a restoration of the table. */
record Replaying<K, V>(Restoration<K, V> restoration, RecoveryProgress listener)
    implements Replay<K, V> {

  @Override
  public void change(long sequence, Change<K, V> change) {
    restore(sequence, sequence, change);
    if (!(change instanceof Change.Put)) {
      restoration.toldUpTo(sequence);
    }
  }

  private void restore(long sequence, long stamp, Change<K, V> change) {
    if (change instanceof Change.Put<K, V> put) {
      restoration.put(put.key(), put.value(), put.expiryMillis(), sequence, stamp);
    } else if (change instanceof Change.Remove<K, V> remove) {
      restoration.remove(remove.key(), sequence);
    } else {
      restoration.use(change.key(), stamp, sequence);
    }
  }

  @Override
  public void entry(Change.Put<K, V> put, long version, long stamp) {
    restoration.put(put.key(), put.value(), put.expiryMillis(), version, stamp);
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {
    listener.recovered(bytesRead, bytesTotal);
  }

  @Override
  public Optional<AnyOrder<K, V>> inAnyOrder() {
    restoration.mayBeToldAgain();
    return Optional.of(new InAnyOrder());
  }

  private final class InAnyOrder implements AnyOrder<K, V> {
    @Override
    public void change(long sequence, long stamp, Change<K, V> change) {
      restore(sequence, stamp, change);
    }

    @Override
    public void entry(Change.Put<K, V> put, long version, long stamp) {
      Replaying.this.entry(put, version, stamp);
    }

    @Override
    public void toldUpTo(long sequence) {
      restoration.toldUpTo(sequence);
    }

    @Override
    public boolean again() {
      return restoration.again();
    }
  }
}
