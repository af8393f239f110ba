package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.AtomicBatch.Operation;
import io.pensieve.BatchOutcome.Reason;
import io.pensieve.BatchOutcome.Refusal;
import io.pensieve.BatchOutcome.Result;
import io.pensieve.lru.Bounds;
import io.pensieve.lru.Decision;
import io.pensieve.lru.Decision.Act;
import io.pensieve.lru.JointMaker;
import io.pensieve.lru.Node;
import io.pensieve.lru.Node.Reading;
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
 * One run of a batch: does the operations on drafts of the entries, one after another, and decides
 * from the last drafts what becomes of each key. So what several operations do to a key is one
 * change of the map and of its log.
 */
final class BatchRun<K, V> implements JointMaker<V> {
  private static final long PENDING = 0; // the version of a draft; no entry has it

  /** A key's entry as the operations so far have left it. */
  private static final class Draft<V> {
    final int key;
    @Nullable Reading<V> before;
    @Nullable Reading<V> now;
    int weight;
    boolean written;

    Draft(int key) {
      this.key = key;
    }

    void begin(@Nullable Reading<V> present) {
      before = present;
      now = present;
    }

    void write(V value, int newWeight, long expiryMillis) {
      now = new Reading<>(value, PENDING, expiryMillis);
      weight = newWeight;
      written = true;
    }

    void remove() {
      now = null;
      written = true;
    }

    @Nullable V value() {
      return now == null ? null : now.value();
    }

    // What comes and goes within a batch is nothing.
    boolean isForNothing() {
      return before == null && now == null;
    }

    Step<V> step() {
      if (!written) {
        return new Step<>(key, Act.USE, null, 0, Node.NEVER);
      }
      return now == null
          ? new Step<>(key, Act.REMOVE, null, 0, Node.NEVER)
          : new Step<>(key, Act.WRITE, now.value(), weight, now.expiryMillis());
    }
  }

  /** What an operation has found and done; the versions of what is written come later. */
  private record Told<V>(int key, @Nullable V previous, @Nullable Reading<V> now, boolean changed) {
    Result<V> result(long[] versions) {
      if (now == null) {
        return new Result<>(previous, null, changed);
      }
      long version = now.version() == PENDING ? versions[key] : now.version();
      Reading<V> entry = new Reading<>(now.value(), version, now.expiryMillis());
      return new Result<>(previous, Versioned.of(entry), changed);
    }
  }

  private final Writes<K, V> writes;
  private final Bounds<K, V> bounds;
  private final Counters counters;
  private final List<Operation<K, V>> operations;
  private final Map<K, Draft<V>> drafts = new LinkedHashMap<>();
  private final IdentityHashMap<Operation<K, V>, Decision<V>> puts = new IdentityHashMap<>();
  private final Set<Draft<V>> used = new LinkedHashSet<>(); // in the order of their last uses
  private final List<Told<V>> told = new ArrayList<>();
  private @Nullable Refusal<V> refusal;

  /** Weighs what the batch puts, so that this need not be done while keys are locked. */
  BatchRun(AtomicBatch<K, V> batch, Writes<K, V> writes, Bounds<K, V> bounds, Counters counters) {
    this.writes = writes;
    this.bounds = bounds;
    this.counters = counters;
    this.operations = batch.operations();
    for (Operation<K, V> operation : operations) {
      drafts.computeIfAbsent(operation.key(), key -> new Draft<>(drafts.size()));
      if (operation instanceof AtomicBatch.Put<K, V> put) {
        puts.put(put, writes.write(put));
      }
    }
  }

  /** The keys that the batch is about. */
  List<K> keys() {
    return List.copyOf(drafts.keySet());
  }

  @Override
  public List<Step<V>> decide(List<@Nullable Reading<V>> present, long nowMillis) {
    drafts.values().forEach(draft -> draft.begin(present.get(draft.key)));
    for (int i = 0; i < operations.size(); i++) {
      Operation<K, V> operation = operations.get(i);
      Draft<V> draft = draftOf(operation.key());
      V previous = draft.value();
      Reason reason = run(operation, draft, nowMillis);
      if (reason != null) {
        refusal = new Refusal<>(i, reason, versioned(draft.before));
        return List.of();
      }
      boolean changed = isWrite(operation) && (previous != null || draft.now != null);
      told.add(new Told<>(draft.key, previous, draft.now, changed));
    }
    return steps();
  }

  private Draft<V> draftOf(K key) {
    return requireNonNull(drafts.get(key));
  }

  private static <V> @Nullable Versioned<V> versioned(@Nullable Reading<V> reading) {
    return reading == null ? null : Versioned.of(reading);
  }

  private static boolean isWrite(Operation<?, ?> operation) {
    return operation instanceof AtomicBatch.Put
        || operation instanceof AtomicBatch.Remove
        || operation instanceof AtomicBatch.Add;
  }

  // Null if the batch goes on.
  private @Nullable Reason run(Operation<K, V> operation, Draft<V> draft, long nowMillis) {
    if (operation instanceof AtomicBatch.RequireVersion<K, V> required) {
      boolean holds =
          draft.now != null && !draft.written && draft.now.version() == required.version();
      return holds ? null : Reason.REQUIREMENT;
    }
    if (operation instanceof AtomicBatch.RequireAbsent) {
      return draft.now == null ? null : Reason.REQUIREMENT;
    }
    if (operation instanceof AtomicBatch.Add<K, V> add) {
      return add(add, draft, nowMillis);
    }
    if (operation instanceof AtomicBatch.Put<K, V> put) {
      Decision<V> write = requireNonNull(puts.get(put));
      draft.write(put.value(), write.weight(), write.expiryMillis(nowMillis));
    } else if (operation instanceof AtomicBatch.Remove && draft.now != null) {
      draft.remove();
    }
    use(draft);
    return null;
  }

  private @Nullable Reason add(AtomicBatch.Add<K, V> add, Draft<V> draft, long nowMillis) {
    V value;
    try {
      long sum = Incrementing.sum(draft.value(), add.by(), add.numeric());
      value = add.numeric().toValue(sum);
    } catch (NumberFormatException notANumber) {
      return Reason.NOT_A_NUMBER;
    } catch (ArithmeticException overflow) {
      return Reason.OVERFLOW;
    }
    Decision<V> write = writes.write(add.key(), value);
    long expiry = draft.now == null ? write.expiryMillis(nowMillis) : draft.now.expiryMillis();
    draft.write(value, write.weight(), expiry);
    use(draft);
    return null;
  }

  private void use(Draft<V> draft) {
    used.remove(draft);
    used.add(draft);
  }

  private List<Step<V>> steps() {
    List<Step<V>> steps =
        used.stream().filter(draft -> !draft.isForNothing()).map(Draft::step).toList();
    long entries = 0;
    long weight = 0;
    for (Step<V> step : steps) {
      entries += step.act() == Act.WRITE ? 1 : 0;
      weight += step.weight();
    }
    if (entries > bounds.maximumEntries()) {
      throw new IllegalArgumentException(
          "the batch puts "
              + entries
              + " entries, more than the map's maximum of "
              + bounds.maximumEntries());
    }
    if (weight > bounds.maximumWeight()) {
      throw new IllegalArgumentException(
          "the batch puts entries that weigh "
              + weight
              + ", more than the map's maximum of "
              + bounds.maximumWeight());
    }
    return steps;
  }

  /**
   * What became of the batch.
   *
   * @param versions those of the keys now
   */
  BatchOutcome<V> outcome(long[] versions, LogJournal<K, V> journal) {
    long observed = 0;
    for (Map.Entry<K, Draft<V>> entry : drafts.entrySet()) {
      Draft<V> draft = entry.getValue();
      observed = Math.max(observed, journal.sequence(entry.getKey(), versions[draft.key]));
      if (draft.isForNothing()) {
        versions[draft.key] = 0; // that of an expired entry is observed, but not told
      }
    }
    CompletableFuture<Void> durable = journal.whenDurable(observed);
    if (refusal != null) {
      return new BatchOutcome<>(List.of(), Optional.of(refusal), durable);
    }
    countReads();
    List<Result<V>> results = told.stream().map(one -> one.result(versions)).toList();
    return new BatchOutcome<>(results, Optional.empty(), durable);
  }

  private void countReads() {
    for (int i = 0; i < told.size(); i++) {
      if (operations.get(i) instanceof AtomicBatch.Get) {
        counters.read(told.get(i).now() != null);
      }
    }
  }
}
