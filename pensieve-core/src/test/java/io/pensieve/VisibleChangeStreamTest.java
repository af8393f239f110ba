package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A map's changes: told when the map shows them, and so that nothing is missed. */
class VisibleChangeStreamTest {
  private static final Duration LONG = Duration.ofMinutes(2);

  private final Path folder;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  VisibleChangeStreamTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertTrue(threads.awaitTermination(2, TimeUnit.MINUTES), "all threads end");
  }

  private FileLog<String, String> log(Durability durability) {
    return FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(durability);
  }

  private static Pensieve<String, String> map(Log<String, String> log, long maximumEntries) {
    return Pensieve.<String, String>builder().maximumEntries(maximumEntries).log(log).open();
  }

  /** Keeps whoever appends a change of the key "held" from making it visible, once it is there. */
  private static final class BlockingLog implements Log<String, String> {
    private final FileLog<String, String> inner;
    private final CountDownLatch appended = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    BlockingLog(FileLog<String, String> inner) {
      this.inner = inner;
    }

    @Override
    public long append(Change<String, String> change) {
      long sequence = inner.append(change);
      if (change.key().equals("held")) {
        appended.countDown();
        try {
          assertTrue(released.await(2, TimeUnit.MINUTES));
        } catch (InterruptedException endOfTest) {
          throw new AssertionError(endOfTest);
        }
      }
      return sequence;
    }

    @Override
    public RecoveryReport replay(ReplayHandler<String, String> handler) {
      return inner.replay(handler);
    }

    @Override
    public ChangeStream<String, String> changes() {
      return inner.changes();
    }

    @Override
    public ChangeStream<String, String> changes(long since) {
      return inner.changes(since);
    }

    @Override
    public long durableSequence() {
      return inner.durableSequence();
    }

    @Override
    public void awaitDurable(long sequence) {
      inner.awaitDurable(sequence);
    }

    @Override
    public CompletableFuture<Void> whenDurable(long sequence) {
      return inner.whenDurable(sequence);
    }

    @Override
    public void close() {
      inner.close();
    }

    /** Lets go of the writer when the other one waits for it, or has not waited at all. */
    void releaseWhenAwaited(Thread other) {
      while (other.isAlive() && !isAwaitingChange(other)) {
        Thread.onSpinWait();
      }
      released.countDown();
    }

    private static boolean isAwaitingChange(Thread thread) {
      return Arrays.stream(thread.getStackTrace())
          .anyMatch(frame -> frame.getMethodName().equals("awaitUnlocked"));
    }
  }

  private interface Reading {
    String read() throws InterruptedException;
  }

  /** What a thread of its own reads while a put is in the log and not in the map yet. */
  private String readWhileHeld(
      BlockingLog log, Pensieve<String, String> map, boolean computed, Reading reading)
      throws Exception {
    Future<?> writer =
        threads.submit(
            () -> computed ? map.compute("held", (key, value) -> "v") : map.put("held", "v"));
    log.appended.await();
    CompletableFuture<String> read = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              try {
                read.complete(reading.read());
              } catch (InterruptedException | RuntimeException | Error broken) {
                read.completeExceptionally(broken);
              }
            });
    reader.start();
    log.releaseWhenAwaited(reader);
    writer.get();
    return read.get(2, TimeUnit.MINUTES);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aChangeIsNotToldBeforeTheMapShowsIt(boolean computed) throws Exception {
    BlockingLog log = new BlockingLog(log(Durability.PROCESS_DEATH));
    try (Pensieve<String, String> map = map(log, 10);
        ChangeStream<String, String> stream = map.changes()) {
      String shown =
          readWhileHeld(
              log,
              map,
              computed,
              () -> {
                assertEquals("held", stream.next(LONG).get(0).change().key());
                return String.valueOf(map.get("held"));
              });
      assertEquals("v", shown);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void entriesReadAfterAStreamHasBegunHaveWhatItDoesNotTell(boolean computed) throws Exception {
    BlockingLog log = new BlockingLog(log(Durability.PROCESS_DEATH));
    try (Pensieve<String, String> map = map(log, 10)) {
      String listed =
          readWhileHeld(
              log,
              map,
              computed,
              () -> {
                try (ChangeStream<String, String> stream = map.changes()) {
                  boolean isFromThere = stream.sequence() == version(map, "held");
                  return map.keySet() + (isFromThere ? " from there" : " from elsewhere");
                }
              });
      assertEquals("[held] from there", listed);
    }
  }

  private static long version(Pensieve<String, String> map, String key) {
    Versioned<String> entry = map.getVersioned(key);
    return entry == null ? -1 : entry.version();
  }

  @Test
  void aSlowFunctionHoldsUpNoRemovalThatCameBefore() throws Exception {
    try (Pensieve<String, String> map = map(log(Durability.PROCESS_DEATH), 10);
        ChangeStream<String, String> stream = map.changes()) {
      map.put("a", "1");
      long put = version(map, "a");
      map.remove("a");
      List<String> changes = new ArrayList<>(kinds(take(stream, 2)));
      CountDownLatch computing = new CountDownLatch(1);
      CountDownLatch told = new CountDownLatch(1);
      Future<String> slow =
          threads.submit(
              () ->
                  map.computeIfAbsent(
                      "a",
                      key -> {
                        computing.countDown();
                        return awaited(told) ? "2" : "not told";
                      }));
      computing.await();
      try (ChangeStream<String, String> again = map.changes(put)) {
        changes.addAll(kinds(take(again, 1)));
      }
      told.countDown();
      assertEquals("2", slow.get());
      assertEquals(List.of("Put", "Remove", "Remove"), changes);
    }
  }

  @Test
  void aSlowFunctionHoldsUpNoStreamOfWhatWasBefore() throws Exception {
    try (Pensieve<String, String> map = map(log(Durability.PROCESS_DEATH), 10)) {
      map.put("first", "0");
      long first = version(map, "first");
      map.put("a", "1");
      map.remove("a");
      map.put("b", "1");
      Set<String> keys = Set.of("a", "b", "c"); // gone, there, never there
      CountDownLatch computing = new CountDownLatch(keys.size());
      CountDownLatch told = new CountDownLatch(1);
      List<Future<String>> slow = new ArrayList<>();
      for (String key : keys) {
        slow.add(
            threads.submit(
                () ->
                    map.compute(
                        key,
                        (same, value) -> {
                          computing.countDown();
                          return awaited(told) ? "2" : "not told";
                        })));
      }
      assertTrue(awaited(computing));
      Future<List<String>> resumed =
          threads.submit(
              () -> {
                try (ChangeStream<String, String> stream = map.changes(first)) {
                  return kinds(take(stream, 3));
                }
              });
      assertEquals(List.of("Put", "Remove", "Put"), resumed.get(2, TimeUnit.MINUTES));
      Future<Long> begun =
          threads.submit(
              () -> {
                try (ChangeStream<String, String> stream = map.changes()) {
                  return stream.sequence();
                }
              });
      assertTrue(begun.get(2, TimeUnit.MINUTES) > first);
      told.countDown();
      for (Future<String> function : slow) {
        assertEquals("2", function.get());
      }
    }
  }

  @Test
  void aSlowFunctionHoldsUpNoCompaction() throws Exception {
    FileLog<String, String> log = log(Durability.PROCESS_DEATH);
    CountDownLatch compacted = new CountDownLatch(1);
    try (Pensieve<String, String> map = map(log, 10)) {
      map.put("a", "1");
      map.put("b", "1");
      CountDownLatch computing = new CountDownLatch(1);
      Future<String> slow =
          threads.submit(
              () ->
                  map.compute(
                      "a",
                      (key, value) -> {
                        computing.countDown();
                        return awaited(compacted) ? "2" : "held up";
                      }));
      assertTrue(awaited(computing));
      threads.submit(log::compact).get(2, TimeUnit.MINUTES);
      compacted.countDown();
      assertEquals("2", slow.get());
    }
    try (Pensieve<String, String> map = map(log(Durability.PROCESS_DEATH), 10)) {
      assertEquals(Map.of("a", "2", "b", "1"), map);
    }
  }

  private static boolean awaited(CountDownLatch latch) {
    try {
      return latch.await(2, TimeUnit.MINUTES);
    } catch (InterruptedException endOfTest) {
      return false;
    }
  }

  private static List<Sequenced<String, String>> take(
      ChangeStream<String, String> stream, int count) throws InterruptedException {
    List<Sequenced<String, String>> taken = new ArrayList<>();
    while (taken.size() < count) {
      taken.addAll(stream.next(LONG));
    }
    return taken;
  }

  private static List<String> kinds(List<Sequenced<String, String>> changes) {
    return changes.stream().map(change -> change.change().getClass().getSimpleName()).toList();
  }

  @Test
  void evictionsAreToldAsRemovals() throws Exception {
    try (Pensieve<String, String> map = map(log(Durability.PROCESS_DEATH), 1);
        ChangeStream<String, String> stream = map.changes()) {
      map.put("a", "1");
      map.put("b", "2");
      assertEquals(new Change.Remove<String, String>("a"), take(stream, 3).get(2).change());
    }
  }

  @Test
  void aStreamGoesOnAfterARestartUnlessItsPlaceIsForgotten() throws Exception {
    long sequence;
    try (Pensieve<String, String> map = map(log(Durability.POWER_CUT), 10);
        ChangeStream<String, String> stream = map.changes()) {
      map.put("a", "1");
      take(stream, 1);
      sequence = stream.sequence();
      map.put("b", "2");
    }
    FileLog<String, String> log = log(Durability.POWER_CUT);
    try (Pensieve<String, String> map = map(log, 10);
        ChangeStream<String, String> stream = map.changes(sequence)) {
      assertEquals(new Change.Put<>("b", "2"), take(stream, 1).get(0).change());
      log.compact();
      assertThrows(LogException.HistoryTruncated.class, () -> map.changes(sequence));
    }
  }

  @Test
  void aMapWithoutALogThatTellsHasNoStreams() {
    try (Pensieve<String, String> map = map(Log.none(), 10)) {
      assertThrows(UnsupportedOperationException.class, map::changes);
      assertThrows(UnsupportedOperationException.class, () -> map.changes(0));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoeverIsToldFindsItInTheMapAndEntriesWithChangesMissNothing(Durability durability)
      throws Exception {
    Random seeds = Seed.random(VisibleChangeStreamTest.class);
    try (Pensieve<String, String> map = map(log(durability), 40)) {
      AtomicBoolean done = new AtomicBoolean();
      List<Future<?>> writers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Random random = new Random(seeds.nextLong());
        writers.add(threads.submit(() -> write(map, random, done)));
      }
      List<Future<?>> listeners = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        listeners.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 10; round++) {
                    follow(map, 300);
                  }
                  return null;
                }));
      }
      for (Future<?> listener : listeners) {
        listener.get();
      }
      done.set(true);
      for (Future<?> writer : writers) {
        writer.get();
      }
      mirror(map);
    }
  }

  // Every hundredth write waits for the disk. Else a slow disk would let the log outgrow what is
  // kept for streams, before they are told of any change.
  private static void write(Pensieve<String, String> map, Random random, AtomicBoolean done) {
    for (int i = 0; !done.get(); i++) {
      String key = "k" + random.nextInt(60);
      if (i % 100 == 99) {
        map.put(key, "w" + i);
        continue;
      }
      switch (random.nextInt(6)) {
        case 0 -> map.removeAsync(key);
        case 1 -> map.writeAsync(Write.put(key, "r").ifVersion(40L * i));
        case 2 ->
            map.writeAsync(
                new AtomicBatch<String, String>()
                    .put(key, "b" + i)
                    .put("l" + random.nextInt(9), "b" + i));
        default -> map.putAsync(key, "v" + i);
      }
    }
  }

  /** Whoever was told of a change sees it, or something later. */
  private static void follow(Pensieve<String, String> map, int changes) throws Exception {
    try (ChangeStream<String, String> stream = map.changes()) {
      Set<String> gone = new HashSet<>();
      for (int told = 0; told < changes; ) {
        for (Sequenced<String, String> change : stream.next(LONG)) {
          told++;
          String key = change.change().key();
          Versioned<String> found = map.getVersioned(key);
          boolean isRemoval = change.change() instanceof Change.Remove;
          assertTrue(found == null || found.version() >= change.sequence(), key);
          if (found == null && !isRemoval) {
            gone.add(key); // removed by now, which must be told, too
          } else {
            gone.remove(key);
          }
        }
      }
      while (!gone.isEmpty()) {
        for (Sequenced<String, String> change : stream.next(LONG)) {
          if (change.change() instanceof Change.Remove) {
            gone.remove(change.change().key());
          }
        }
      }
    }
  }

  /** Entries that are read while others write, and the changes since, lead to the entries. */
  private void mirror(Pensieve<String, String> map) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Future<?> writer = threads.submit(() -> write(map, new Random(1), done));
    TreeMap<String, String> copy;
    try (ChangeStream<String, String> stream = map.changes()) {
      copy = new TreeMap<>(map);
      apply(copy, take(stream, 100));
      done.set(true);
      writer.get();
      map.put("last", "1"); // and what that has evicted comes before the next one
      long last = map.putAsync("last", "2").version();
      while (stream.sequence() < last) {
        apply(copy, stream.next(LONG));
      }
    }
    assertEquals(new TreeMap<>(map), copy);
  }

  private static void apply(Map<String, String> copy, List<Sequenced<String, String>> changes) {
    for (Sequenced<String, String> change : changes) {
      if (change.change() instanceof Change.Put<String, String> put) {
        copy.put(put.key(), put.value());
      } else {
        copy.remove(change.change().key());
      }
    }
  }
}
