package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.LogException;
import io.pensieve.lru.Node;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The part of a {@link Pensieve} that loads missing values, and reloads old ones. */
abstract sealed class LoadingMap<K, V> extends ReadableMap<K, V> implements ConcurrentMap<K, V>
    permits Pensieve {
  final UpdateDecisions<K, V> updateDecisions;
  private final LoadsInProgress<K, V> loads = new LoadsInProgress<>();
  private final @Nullable BiFunction<? super K, ? super V, ? extends @Nullable V> reloader;
  private final long refreshMillis;
  private final Executor refreshExecutor;
  private final InstantSource clock;
  private final Set<K> reloading = ConcurrentHashMap.newKeySet(); // one reload a key at a time
  private final RemovalNotifier.Warnings warnings;

  LoadingMap(PensieveBuilder<K, V> settings, Runnable firstExpiry) {
    super(settings, firstExpiry);
    updateDecisions =
        new UpdateDecisions<>(capacity, settings.ttlMillis, settings.expiryRule(), counters);
    reloader = settings.reloader;
    refreshMillis = settings.refreshMillis;
    refreshExecutor = settings.refreshExecutor;
    clock = settings.clock;
    warnings =
        new RemovalNotifier.Warnings(
            "a reload", () -> System.getLogger(LoadingMap.class.getName()), System::nanoTime);
  }

  /**
   * Returns the key's value. If it has none, loads it: the loader runs once, and all who ask for
   * the key by this method or {@link #getAll} meanwhile get its result, or its exception. Unlike
   * {@link #computeIfAbsent} it locks nothing while the loader runs, so that may use the map,
   * whatever the key. If another thread puts a value meanwhile, that one stays and is returned.
   *
   * @param loader returns the value, or null if there is none: then nothing is put
   * @return null if there is no value
   * @throws IllegalStateException if the loader asks for the key that it loads; or if called by a
   *     function that is computing a value of this map
   */
  public @Nullable V get(K key, Function<? super K, ? extends @Nullable V> loader) {
    requireNonNull(loader);
    table.checkNotWithinFunction();
    V present = get(key);
    if (present != null) {
      return present;
    }
    LoadsInProgress.Load<V> load = loads.join(key);
    if (!load.isOwn()) {
      return load.await();
    }
    try {
      V value = peek(key); // another load may have ended since
      if (value == null) {
        value = counters.load(() -> loader.apply(key));
        V before = value == null ? null : putIfAbsent(key, value);
        value = before == null ? value : before;
      }
      load.complete(value);
      return value;
    } catch (Throwable failed) {
      load.fail(failed);
      throw failed;
    } finally {
      loads.end(key, load);
    }
  }

  /**
   * Returns the values of several keys. Loads those that are missing together, in one call, except
   * for those that other threads are loading. Otherwise as {@link #get(Object, Function)}. The map
   * waits for the log once.
   *
   * @param bulkLoader receives the missing keys and returns their values; keys that it leaves out
   *     have no value, and others that it adds are ignored
   * @return the keys that have a value, in the given order; unmodifiable
   */
  public Map<K, V> getAll(
      Collection<? extends K> keys,
      Function<? super Set<K>, ? extends Map<? extends K, ? extends V>> bulkLoader) {
    requireNonNull(bulkLoader);
    table.checkNotWithinFunction();
    Map<K, V> found = new LinkedHashMap<>();
    Set<K> missing = new LinkedHashSet<>();
    for (K key : keys) {
      V present = get(key);
      if (present == null) {
        missing.add(key);
      } else {
        found.put(key, present);
      }
    }
    if (!missing.isEmpty()) {
      loadAll(missing, bulkLoader, found);
    }
    Map<K, V> ordered = new LinkedHashMap<>();
    for (K key : keys) {
      V value = found.get(key);
      if (value != null) {
        ordered.put(key, value);
      }
    }
    return Collections.unmodifiableMap(ordered);
  }

  // This thread ends its own loads before it waits for those of others. So two threads do not wait
  // for each other.
  private void loadAll(
      Set<K> missing,
      Function<? super Set<K>, ? extends Map<? extends K, ? extends V>> bulkLoader,
      Map<K, V> found) {
    Map<K, LoadsInProgress.Load<V>> own = new LinkedHashMap<>();
    Map<K, LoadsInProgress.Load<V>> others = new LinkedHashMap<>();
    try {
      for (K key : missing) {
        LoadsInProgress.Load<V> load = loads.join(key);
        (load.isOwn() ? own : others).put(key, load);
      }
      loadOwn(own, bulkLoader, found);
    } catch (Throwable failed) {
      own.values().forEach(load -> load.fail(failed));
      throw failed;
    } finally {
      own.forEach(loads::end);
    }
    others.forEach(
        (key, load) -> {
          V value = load.await();
          if (value != null) {
            found.put(key, value);
          }
        });
  }

  private void loadOwn(
      Map<K, LoadsInProgress.Load<V>> own,
      Function<? super Set<K>, ? extends Map<? extends K, ? extends V>> bulkLoader,
      Map<K, V> found) {
    Set<K> absent = new LinkedHashSet<>();
    for (K key : own.keySet()) {
      V value = peek(key); // another load may have ended since
      if (value == null) {
        absent.add(key);
      } else {
        found.put(key, value);
      }
    }
    if (!absent.isEmpty()) {
      Map<? extends K, ? extends V> loaded =
          counters.load(() -> bulkLoader.apply(Collections.unmodifiableSet(absent)));
      putAllIfAbsent(absent, requireNonNull(loaded), found);
    }
    own.forEach((key, load) -> load.complete(found.get(key)));
  }

  private void putAllIfAbsent(
      Set<K> absent, Map<? extends K, ? extends V> loaded, Map<K, V> found) {
    List<Map.Entry<K, V>> written = new ArrayList<>();
    try (BulkWriter<K, V> changes = changeMany()) {
      for (K key : absent) {
        V value = loaded.get(key);
        if (value != null) {
          V now = changes.update(key, UpdateDecisions.ifAbsent(updateDecisions.write(key, value)));
          written.add(Map.entry(key, now == null ? value : now));
        }
      }
    }
    written.forEach(entry -> found.put(entry.getKey(), entry.getValue()));
  }

  // ---- Refreshing

  @Override
  void refresh(Node<K, V> node) {
    K key = node.key();
    if (!isOld(node) || !reloading.add(key)) {
      return;
    }
    boolean accepted = false;
    try {
      // Another reload may have ended between the first look and `add`. It writes the value first.
      Node.Snapshot<V> seen = isOld(node) ? table.read(node) : null;
      if (seen != null) {
        refreshExecutor.execute(() -> reload(key, seen));
        accepted = true;
      }
    } catch (RuntimeException refused) { // the read has its value, and must not fail
      counters.endLoad(counters.beginLoad(), true);
      warnings.warn(refused);
    } finally {
      if (!accepted) {
        reloading.remove(key);
      }
    }
  }

  private boolean isOld(Node<K, V> node) {
    return node.isOlder(refreshMillis, clock.millis());
  }

  private void reload(K key, Node.Snapshot<V> seen) {
    BiFunction<? super K, ? super V, ? extends @Nullable V> reload = requireNonNull(reloader);
    try {
      V value = counters.load(() -> reload.apply(key, seen.value()));
      UpdateDecision<V> decision =
          value == null ? UpdateDecision.remove() : updateDecisions.change(key, value);
      updateUnlessRefused(key, UpdateDecisions.ifVersion(seen.version(), decision));
    } catch (RuntimeException failed) {
      warnings.warn(failed);
    } finally {
      reloading.remove(key);
    }
  }

  // Nobody waits until the log has acknowledged the value. Who reads it does, as always.
  private void updateUnlessRefused(K key, UpdateFunction<V> update) {
    try {
      journal.beginWrite();
      table.updatePresent(key, update);
      journal.throttle();
    } catch (LogException | IllegalStateException refused) {
      // The log is full or has failed, the map is a standby by now, or closed. The next read tries
      // again.
    }
  }
}
