package io.pensieve.lru;

import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** Comes by the entries of a table, and may leave half of what is left to another one. */
public interface NodeIterator<K, V> extends Iterator<Node<K, V>> {

  /**
   * Another iterator, of half of the bins that are left here from now on; null if there are few.
   */
  @Nullable NodeIterator<K, V> split();

  /** About how many entries are left, at most. */
  long estimate();
}
