package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.AtomicBatch.Operation;
import io.pensieve.BatchResult.Failure;
import io.pensieve.BatchResult.OperationResult;
import io.pensieve.BatchResult.Reason;
import io.pensieve.lru.Capacity;
import io.pensieve.lru.MultiKeyUpdateFunction;
import io.pensieve.lru.Node;
import io.pensieve.lru.Node.Snapshot;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateDecision.Action;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Evaluates a batch once: applies its operations to pending entries, one after another, and derives
 * the decision about each key from the last state. So several operations on one key result in one
 * change of the map and of its log.
 */
final class BatchEvaluation<K, V> implements MultiKeyUpdateFunction<V> {
  private static final long PENDING = 0; // the version of a pending entry; no real entry has it

  /** A key's entry as the operations so far have left it. */
  private static final class PendingEntry<V> {
    final int key;
    @Nullable Snapshot<V> before;
    @Nullable Snapshot<V> now;
    long weight;
    boolean written;
    boolean replaced; // by a value of this batch, if written

    PendingEntry(int key) {
      this.key = key;
    }

    void begin(@Nullable Snapshot<V> present) {
      before = present;
      now = present;
    }

    void write(V value, long newWeight, long expiryMillis) {
      now = new Snapshot<>(value, PENDING, expiryMillis);
      weight = newWeight;
      written = true;
      replaced = true;
    }

    void remove() {
      now = null;
      written = true;
      replaced = true;
    }

    @Nullable V value() {
      return now == null ? null : now.value();
    }

    // An entry that the batch both creates and removes leaves no change.
    boolean isNoOp() {
      return before == null && now == null;
    }

    boolean isChange() {
      return written && !isNoOp();
    }

    KeyUpdate<V> keyUpdate() {
      if (!written) {
        return new KeyUpdate<>(key, Action.TOUCH, null, 0, Node.NEVER);
      }
      return now == null
          ? new KeyUpdate<>(key, Action.REMOVE, null, 0, Node.NEVER)
          : new KeyUpdate<>(
              key,
              replaced ? Action.WRITE : Action.EXTEND,
              now.value(),
              weight,
              now.expiryMillis());
    }
  }

  /**
   * The result of an operation, without the versions of what the batch writes: these are known
   * later.
   */
  private record UnversionedResult<V>(
      int key, @Nullable V previous, @Nullable Snapshot<V> now, boolean changed) {
    OperationResult<V> result(long[] versions) {
      if (now == null) {
        return new OperationResult<>(previous, null, changed);
      }
      long version = now.version() == PENDING ? versions[key] : now.version();
      Snapshot<V> entry = new Snapshot<>(now.value(), version, now.expiryMillis());
      return new OperationResult<>(previous, Versioned.of(entry), changed);
    }
  }

  private final UpdateDecisions<K, V> updateDecisions;
  private final Capacity<K, V> capacity;
  private final Counters counters;
  private final List<Operation<K, V>> operations;
  private final Map<K, PendingEntry<V>> drafts = new LinkedHashMap<>();
  private final IdentityHashMap<Operation<K, V>, UpdateDecision<V>> puts = new IdentityHashMap<>();
  private final Set<PendingEntry<V>> used =
      new LinkedHashSet<>(); // in the order of their last uses
  private final List<UnversionedResult<V>> told = new ArrayList<>();
  private @Nullable Failure<V> failure;

  /** Weighs the entries that the batch puts, before any key is locked. */
  BatchEvaluation(
      AtomicBatch<K, V> batch,
      UpdateDecisions<K, V> updateDecisions,
      Capacity<K, V> capacity,
      Counters counters) {
    this.updateDecisions = updateDecisions;
    this.capacity = capacity;
    this.counters = counters;
    this.operations = batch.operations();
    for (Operation<K, V> operation : operations) {
      drafts.computeIfAbsent(operation.key(), key -> new PendingEntry<>(drafts.size()));
      if (operation instanceof AtomicBatch.Put<K, V> put) {
        puts.put(put, updateDecisions.writeFor(put.key(), put.value(), put.ttl().millis()));
      }
    }
  }

  /** The keys of the batch. */
  List<K> keys() {
    return List.copyOf(drafts.keySet());
  }

  @Override
  public List<KeyUpdate<V>> decide(List<@Nullable Snapshot<V>> present, long nowMillis) {
    drafts.values().forEach(pendingEntry -> pendingEntry.begin(present.get(pendingEntry.key)));
    for (int i = 0; i < operations.size(); i++) {
      Operation<K, V> operation = operations.get(i);
      PendingEntry<V> pendingEntry = pendingEntry(operation.key());
      V previous = pendingEntry.value();
      Reason reason = run(operation, pendingEntry, nowMillis);
      if (reason != null) {
        failure = new Failure<>(i, reason, versioned(pendingEntry.before));
        return List.of();
      }
      boolean changed = isWrite(operation) && (previous != null || pendingEntry.now != null);
      told.add(new UnversionedResult<>(pendingEntry.key, previous, pendingEntry.now, changed));
    }
    return steps();
  }

  private PendingEntry<V> pendingEntry(K key) {
    return requireNonNull(drafts.get(key));
  }

  private static <V> @Nullable Versioned<V> versioned(@Nullable Snapshot<V> snapshot) {
    return snapshot == null ? null : Versioned.of(snapshot);
  }

  private static boolean isWrite(Operation<?, ?> operation) {
    return operation instanceof AtomicBatch.Put
        || operation instanceof AtomicBatch.Remove
        || operation instanceof AtomicBatch.Touch
        || operation instanceof AtomicBatch.Add;
  }

  // Returns null if the batch continues.
  private @Nullable Reason run(
      Operation<K, V> operation, PendingEntry<V> pendingEntry, long nowMillis) {
    if (operation instanceof AtomicBatch.RequireVersion<K, V> required) {
      boolean holds =
          pendingEntry.now != null
              && !pendingEntry.written
              && pendingEntry.now.version() == required.version();
      return holds ? null : Reason.REQUIREMENT;
    }
    if (operation instanceof AtomicBatch.RequireAbsent) {
      return pendingEntry.now == null ? null : Reason.REQUIREMENT;
    }
    if (operation instanceof AtomicBatch.Add<K, V> add) {
      return add(add, pendingEntry, nowMillis);
    }
    if (operation instanceof AtomicBatch.Put<K, V> put) {
      UpdateDecision<V> write = requireNonNull(puts.get(put));
      write(put.key(), put.value(), write, put.ttl().dependsOnEntry(), pendingEntry, nowMillis);
    } else if (operation instanceof AtomicBatch.Touch<K, V> touch) {
      V value = pendingEntry.value();
      if (value != null) {
        boolean replaced = pendingEntry.replaced;
        write(touch.key(), value, touch.ttl(), pendingEntry, nowMillis);
        pendingEntry.replaced = replaced;
      }
    } else if (operation instanceof AtomicBatch.Remove && pendingEntry.now != null) {
      pendingEntry.remove();
    }
    use(pendingEntry);
    return null;
  }

  private @Nullable Reason add(
      AtomicBatch.Add<K, V> add, PendingEntry<V> pendingEntry, long nowMillis) {
    V value;
    try {
      long sum = IncrementFunction.sum(pendingEntry.value(), add.by(), add.numberCodec());
      value = add.numberCodec().toValue(sum);
    } catch (NumberFormatException notANumber) {
      return Reason.NOT_A_NUMBER;
    } catch (ArithmeticException overflow) {
      return Reason.OVERFLOW;
    }
    write(add.key(), value, add.ttl(), pendingEntry, nowMillis);
    use(pendingEntry);
    return null;
  }

  private void write(K key, V value, TimeToLive ttl, PendingEntry<V> pendingEntry, long nowMillis) {
    UpdateDecision<V> write = updateDecisions.writeFor(key, value, ttl.millis());
    write(key, value, write, ttl.dependsOnEntry(), pendingEntry, nowMillis);
  }

  private void write(
      K key,
      V value,
      UpdateDecision<V> write,
      boolean keepsExpiry,
      PendingEntry<V> pendingEntry,
      long nowMillis) {
    Snapshot<V> before = pendingEntry.now;
    long expiry =
        before != null && keepsExpiry
            ? before.expiryMillis()
            : updateDecisions.expiryMillis(write, key, value, before, nowMillis);
    pendingEntry.write(value, write.weight(), expiry);
  }

  private void use(PendingEntry<V> pendingEntry) {
    used.remove(pendingEntry);
    used.add(pendingEntry);
  }

  private List<KeyUpdate<V>> steps() {
    List<KeyUpdate<V>> steps =
        used.stream()
            .filter(pendingEntry -> !pendingEntry.isNoOp())
            .map(PendingEntry::keyUpdate)
            .toList();
    long entries = 0;
    long weight = 0;
    for (KeyUpdate<V> keyUpdate : steps) {
      entries += keyUpdate.value() == null ? 0 : 1;
      weight = Math.min(weight, Long.MAX_VALUE - keyUpdate.weight()) + keyUpdate.weight();
    }
    if (entries > capacity.maximumEntries()) {
      throw new IllegalArgumentException(
          "the batch puts "
              + entries
              + " entries, more than the map's maximum of "
              + capacity.maximumEntries());
    }
    if (weight > capacity.maximumWeight()) {
      throw new IllegalArgumentException(
          "the batch puts entries that weigh "
              + (weight == Long.MAX_VALUE ? "at least " : "")
              + weight
              + ", more than the map's maximum of "
              + capacity.maximumWeight());
    }
    return steps;
  }

  /**
   * Returns the result of the batch.
   *
   * @param versions the current versions of the keys
   * @param begun what {@link LogChangeSink#beginWrite} returned
   */
  BatchResult<V> outcome(long[] versions, LogChangeSink<K, V> journal, long begun) {
    long observed = 0;
    for (Map.Entry<K, PendingEntry<V>> entry : drafts.entrySet()) {
      PendingEntry<V> pendingEntry = entry.getValue();
      observed = Math.max(observed, journal.sequence(entry.getKey(), versions[pendingEntry.key]));
      if (pendingEntry.isNoOp()) {
        versions[pendingEntry.key] = 0; // an expired entry is awaited, but not reported
      }
    }
    journal.checkEra(begun);
    // What only reads is no change: a leader that was ousted must not answer it by its commit.
    boolean isChanged =
        failure == null && drafts.values().stream().anyMatch(PendingEntry::isChange);
    CompletableFuture<Void> durable =
        isChanged ? journal.whenDurable(observed) : journal.whenConfirmed(observed, begun);
    if (failure != null) {
      return new BatchResult<>(List.of(), Optional.of(failure), durable);
    }
    countReads();
    List<OperationResult<V>> results = told.stream().map(one -> one.result(versions)).toList();
    return new BatchResult<>(results, Optional.empty(), durable);
  }

  private void countReads() {
    for (int i = 0; i < told.size(); i++) {
      if (operations.get(i) instanceof AtomicBatch.Get) {
        counters.read(told.get(i).now() != null);
      }
    }
  }
}
