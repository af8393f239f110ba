package io.pensieve.log;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/**
 * A log in a folder of its own.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class FileLog<K, V> implements Log<K, V> {

  private FileLog() {}

  /** Opens (and where needed creates) the log in a folder, and locks it. */
  public static <K, V> FileLog<K, V> open(
      Path directory, Codec<K> keyCodec, Codec<V> valueCodec, Durability durability) {
    return new FileLog<>();
  }

  @Override
  public RecoveryReport replay(Replay<K, V> replay) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long append(Change<K, V> change) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long durableSequence() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void awaitDurable(long sequence) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
