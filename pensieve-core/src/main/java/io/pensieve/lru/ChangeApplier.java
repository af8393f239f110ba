package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * Makes changes in a table that were decided elsewhere: by the table that this one follows. Unlike
 * a writer it evicts nothing, and an expired entry is an entry as any other.
 *
 * <p>It takes the steps of a {@link NodeWriter}, with a change sink of its own that gives each
 * change the version that it has already. So sorted keys, expiries, weights and the order of uses
 * follow as for any write, and an {@code Error} leaves the table as consistent.
 *
 * <p>One thread at a time. Others may read, write and walk meanwhile.
 */
public final class ChangeApplier<K, V> {
  private final NodeTable<K, V> table;
  private final NodeWriter<K, V> writer;
  private final EvictionOrder<K, V> order;

  ChangeApplier(NodeTable<K, V> table, NodeWriter<K, V> writer, EvictionOrder<K, V> order) {
    this.table = table;
    this.writer = writer;
    this.order = order;
  }

  /**
   * Lets a function decide about a key, present or absent, expired or not, and applies the
   * decision. Waits for the key's writer, or for a caller's function that is deciding about it.
   *
   * @param function must be quick
   */
  public UpdateResult<V> update(K key, UpdateFunction<V> function) {
    while (true) {
      Node<K, V> node = table.get(key);
      UpdateResult<V> result = node == null ? insert(key, function) : change(node, function);
      if (result != null) {
        repair();
        return result;
      }
    }
  }

  /** As {@link #update}, for decisions that only matter if the key is present. */
  public UpdateResult<V> updatePresent(K key, UpdateFunction<V> function) {
    for (Node<K, V> node; (node = table.get(key)) != null; ) {
      UpdateResult<V> result = change(node, function);
      if (result != null) {
        return result;
      }
    }
    return UpdateResult.absent();
  }

  // Returns null if another thread was faster: then look the key up again.
  private @Nullable UpdateResult<V> insert(K key, UpdateFunction<V> function) {
    order.growTable(1);
    Node<K, V> node = new Node<>(key, false);
    UpdateResult<V> result = writer.insertApplied(node, function);
    try {
      if (result != null && result.value() != null) {
        order.add(node);
      }
    } catch (Throwable thrown) {
      if (node.state != Node.DEAD && (node.position & Node.INSIDE) == 0) {
        order.damaged = true;
      }
      throw thrown;
    }
    return result;
  }

  // Returns null if the node is dead: then look the key up again.
  private @Nullable UpdateResult<V> change(Node<K, V> node, UpdateFunction<V> function) {
    UpdateResult<V> result = writer.apply(node, function);
    if (result == null) {
      table.remove(node);
      return null;
    }
    try {
      if (result.value() == null) {
        order.remove(node);
      }
    } catch (Throwable thrown) {
      if (node.state == Node.DEAD && (node.position & Node.INSIDE) != 0) {
        order.damaged = true;
      }
      throw thrown;
    } finally {
      writer.notifyObserver(node.key(), result);
    }
    return result;
  }

  private void repair() {
    if (writer.leftOver || writer.keys.damaged) {
      try {
        writer.repair();
      } catch (Throwable stillThere) {
        // The next change repairs it. This one has been made.
      }
    }
  }
}
