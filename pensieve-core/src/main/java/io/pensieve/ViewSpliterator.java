package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.NodeIterator;
import java.util.Spliterator;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Iterates over the elements of a view, weakly consistent; splits by the bins of the table. */
final class ViewSpliterator<K, V, E> implements Spliterator<E> {
  private final ReadableMap<K, V> map;
  private final NodeIterator<K, V> nodes;
  private final EntryCursor<K, V> cursor;
  private final Function<? super EntryCursor<K, V>, ? extends E> shown;
  private final int traits;

  ViewSpliterator(
      ReadableMap<K, V> map,
      NodeIterator<K, V> nodes,
      Function<? super EntryCursor<K, V>, ? extends E> shown,
      int traits) {
    this.map = map;
    this.nodes = nodes;
    this.cursor = map.cursor(nodes);
    this.shown = shown;
    this.traits = traits;
  }

  @Override
  public boolean tryAdvance(Consumer<? super E> action) {
    requireNonNull(action);
    if (!cursor.advance()) {
      return false;
    }
    action.accept(shown.apply(cursor));
    return true;
  }

  @Override
  public @Nullable Spliterator<E> trySplit() {
    NodeIterator<K, V> half = nodes.split();
    return half == null ? null : new ViewSpliterator<>(map, half, shown, traits);
  }

  @Override
  public long estimateSize() {
    return nodes.estimate();
  }

  @Override
  public int characteristics() {
    return traits;
  }
}
