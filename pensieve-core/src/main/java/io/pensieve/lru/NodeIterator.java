package io.pensieve.lru;

import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Iterates over the entries of a table. Can give half of the remaining entries to another iterator.
 */
public interface NodeIterator<K, V> extends Iterator<Node<K, V>> {

  /** Splits off an iterator over half of the remaining bins; null if there are too few. */
  @Nullable NodeIterator<K, V> split();

  /** An estimate of the remaining entries, at most. */
  long estimate();
}
