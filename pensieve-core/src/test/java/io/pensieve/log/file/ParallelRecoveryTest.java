package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log of many segments, read by three threads: what goes wrong in them, and what they leave. */
class ParallelRecoveryTest {
  private static final int THREADS = 3;
  private static final int PUTS = 5000;
  private static final int BATCH_BYTES = 512;
  private static final int SEGMENT_BYTES = 16 << 10;
  private static final int HELD = PUTS / 2 + 100; // no large one is near: before it all is told
  private static final int LARGE_BYTES = 4 * BATCH_BYTES;

  private final Path folder;
  private final List<String> values = new ArrayList<>();

  ParallelRecoveryTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private FileLog<String, String> open(Codec<String> codec) {
    LogSettings settings =
        new LogSettings(
            end -> end,
            Durability.PROCESS_DEATH,
            64 << 10,
            32 << 10,
            SEGMENT_BYTES,
            1,
            new LogSettings.Compaction(1 << 30, 512, 1L << 40, 1L << 40),
            new ReplayPipeline.Settings(THREADS, BATCH_BYTES, 2 * BATCH_BYTES));
    return FileLog.open(
        new FileDisk(), folder, Codec.utf8(), codec, settings, LogThreads.daemons());
  }

  @BeforeEach
  void writeALog() {
    Random random = new Random(1);
    FileLog<String, String> log = open(Codec.utf8());
    log.replay(Replayed.inOrder());
    for (int i = 0; i < PUTS; i++) {
      String value =
          i % 500 == 0 ? i + "x".repeat(LARGE_BYTES) : i + "y".repeat(random.nextInt(40));
      values.add(value);
      Change<String, String> put = new Change.Put<>("k" + i, value);
      if (i % 10 == 7) {
        values.add("together");
        log.appendAtomically(List.of(put, new Change.Put<>("k" + ++i, "together")));
      } else {
        log.append(put);
      }
    }
    log.close();
  }

  @AfterEach
  void noThreadIsLeft() {
    assertEquals(List.of(), threads("pensieve-recovery"));
  }

  private static void noOtherThreadReplays() {
    assertEquals(List.of(), threads("pensieve-recovery-"));
  }

  private static List<String> threads(String prefix) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith(prefix))
        .toList();
  }

  private static class Receiver
      implements ReplayHandler<String, String>, ReplayHandler.Unordered<String, String> {
    final ConcurrentSkipListMap<Long, Change<String, String>> byStamp =
        new ConcurrentSkipListMap<>();
    final Set<Thread> tellers = ConcurrentHashMap.newKeySet();
    final Set<Thread> reporters = ConcurrentHashMap.newKeySet();
    final AtomicLong complete = new AtomicLong();
    long lastBytes;

    @Override
    public Optional<Unordered<String, String>> unordered() {
      return Optional.of(this);
    }

    @Override
    public void change(long sequence, Change<String, String> change) {
      throw new AssertionError("told in any order");
    }

    @Override
    public void change(long sequence, long stamp, Change<String, String> change) {
      tellers.add(Thread.currentThread());
      byStamp.put(stamp, change);
    }

    @Override
    public void entry(Change.Put<String, String> put, long version, long stamp) {
      throw new AssertionError("there is no base");
    }

    @Override
    public void completeUpTo(long sequence) {
      complete.accumulateAndGet(sequence, Math::max);
    }

    @Override
    public void progress(long bytesRead, long bytesTotal) {
      reporters.add(Thread.currentThread());
      assertTrue(bytesRead >= lastBytes && bytesRead <= bytesTotal);
      lastBytes = bytesRead;
    }
  }

  /**
   * The thread that reads the log waits, from the middle of it on, until another thread has
   * replayed something. It has submitted chunks by then. Otherwise it could replay all of them
   * itself while the other threads start.
   */
  private static final class SharedReceiver extends Receiver {
    private final CountDownLatch another = new CountDownLatch(1);
    private final AtomicInteger changes = new AtomicInteger();
    private final int changesAlone;

    SharedReceiver(int changesAlone) {
      this.changesAlone = changesAlone;
    }

    @Override
    public void change(long sequence, long stamp, Change<String, String> change) {
      if (!Thread.currentThread().getName().equals("pensieve-recovery")) {
        another.countDown();
      } else if (changes.get() > changesAlone) {
        awaitAnother();
      }
      changes.incrementAndGet();
      super.change(sequence, stamp, change);
    }

    private void awaitAnother() {
      try {
        assertTrue(another.await(2, TimeUnit.MINUTES), "no other thread has come");
      } catch (InterruptedException unexpected) {
        throw new AssertionError(unexpected);
      }
    }
  }

  private List<String> replayed(Codec<String> codec) {
    return replayed(codec, new Receiver());
  }

  private List<String> replayed(Codec<String> codec, Receiver receiver) {
    try (FileLog<String, String> log = open(codec)) {
      RecoveryReport report = log.replay(receiver);
      assertEquals(receiver.byStamp.size(), report.changes());
      assertTrue(report.closedCleanly());
    }
    assertEquals(1, receiver.reporters.size());
    return receiver.byStamp.values().stream()
        .map(change -> ((Change.Put<String, String>) change).value())
        .toList();
  }

  private static final class ExpectingReceiver extends Receiver {
    private final List<Long> expected = new ArrayList<>(); // bytes replayed and in all
    private int toldBefore;

    @Override
    public void expect(long bytesReplayed, long bytesTotal) {
      expected.addAll(List.of(bytesReplayed, bytesTotal));
      toldBefore = byStamp.size();
      noOtherThreadReplays();
    }
  }

  @Test
  void howMuchFollowsIsToldOnceBeforeOtherThreadsBegin() {
    ExpectingReceiver receiver = new ExpectingReceiver();
    assertEquals(values, replayed(Codec.utf8(), receiver));
    assertEquals(2, receiver.expected.size(), "told once");
    long replayed = receiver.expected.get(0);
    assertTrue(replayed >= 2 * BATCH_BYTES && replayed < receiver.expected.get(1));
    assertEquals(receiver.lastBytes, receiver.expected.get(1));
    assertTrue(receiver.toldBefore > 0 && receiver.toldBefore < values.size());
  }

  @Test
  void severalThreadsTellEverythingLargeEntriesToo() {
    Receiver several = new SharedReceiver(values.size() / 2);
    assertEquals(values, replayed(Codec.utf8(), several));
    assertTrue(several.tellers.size() > 1, "several threads told");
    assertEquals(values, replayed(Codec.utf8()), "and leave the log as it was");
  }

  @Test
  void aChangeThatIsBeingToldIsNotCalledTold() {
    CountDownLatch others = new CountDownLatch(20);
    AtomicLong held = new AtomicLong();
    AtomicLong completeMeanwhile = new AtomicLong();
    Receiver receiver =
        new Receiver() {
          @Override
          public void change(long sequence, long stamp, Change<String, String> change) {
            if (stamp == HELD) {
              held.set(sequence);
              await(others); // told by other threads, from batches behind this one
              completeMeanwhile.set(complete.get());
            } else if (stamp > HELD) {
              others.countDown();
            }
            super.change(sequence, stamp, change);
          }
        };
    try (FileLog<String, String> log = open(Codec.utf8())) {
      log.replay(receiver);
    }
    assertTrue(completeMeanwhile.get() > 0 && completeMeanwhile.get() < held.get());
    assertTrue(receiver.complete.get() > held.get());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(2, TimeUnit.MINUTES), "the others go on");
    } catch (InterruptedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".log")).sorted().toList();
    }
  }

  /** Changes the value of this put on the disk, and answers which file and offset that is. */
  private String damage(int put) throws IOException {
    return place(put, true);
  }

  private String place(int put) throws IOException {
    return place(put, false);
  }

  private String place(int put, boolean damaged) throws IOException {
    byte[] value = values.get(put).getBytes(StandardCharsets.UTF_8);
    byte[] entry = ("k" + put + values.get(put)).getBytes(StandardCharsets.UTF_8);
    for (Path segment : segments()) {
      byte[] bytes = Files.readAllBytes(segment);
      int at = FileHeader.BYTES;
      while (at < bytes.length && Format.length(bytes, at) > 0) {
        int length = Format.length(bytes, at);
        int body = at + Format.FRAME_HEADER_BYTES;
        if (new String(bytes, body, length - Format.FRAME_HEADER_BYTES, StandardCharsets.UTF_8)
            .equals(new String(entry, StandardCharsets.UTF_8))) {
          bytes[at + length - value.length] ^= (byte) (damaged ? 1 : 0);
          Files.write(segment, bytes);
          return segment + ": damaged at offset " + at + ":";
        }
        at += Format.align(length);
      }
    }
    throw new AssertionError("not found: " + put);
  }

  @Test
  void ofSeveralDamagedPlacesTheFirstIsReported() throws IOException {
    String first = damage(1234);
    damage(1235);
    damage(1300);
    damage(3000);
    assertTrue(segments().size() > 5);
    for (int time = 0; time < 50; time++) {
      LogException.Corrupt refused =
          assertThrows(LogException.Corrupt.class, () -> replayed(Codec.utf8()));
      String message = String.valueOf(refused.getMessage());
      assertTrue(message.startsWith(first), message);
    }
  }

  /** A codec that throws at certain values. */
  private record RejectingCodec(String refused, RuntimeException thrown) implements Codec<String> {
    @Override
    public String name() {
      return Codec.utf8().name(); // whose values it reads
    }

    @Override
    public byte[] encode(String value) {
      return Codec.utf8().encode(value);
    }

    @Override
    public String decode(byte[] bytes) {
      String value = Codec.utf8().decode(bytes);
      if (value.equals(refused)) {
        throw thrown;
      }
      return value;
    }
  }

  @Test
  void aValueThatTheCodecRefusesIsDamage() throws IOException {
    damage(4000); // later
    Codec<String> codec =
        new RejectingCodec(values.get(2222), new IllegalArgumentException("not for me"));
    LogException.Corrupt refused = assertThrows(LogException.Corrupt.class, () -> replayed(codec));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains("codecs") && message.endsWith("not for me"), message);
  }

  @Test
  void whateverACodecThrowsIsToldWithFileAndOffset() throws IOException {
    RuntimeException thrown = new IllegalStateException("broken codec");
    String place = place(2222);
    LogException.Corrupt refused =
        assertThrows(
            LogException.Corrupt.class,
            () -> replayed(new RejectingCodec(values.get(2222), thrown)));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith(place) && message.endsWith("broken codec"), message);
    assertSame(thrown, refused.getCause());
    assertEquals(values, replayed(Codec.utf8()), "no harm to the log");
  }

  @Test
  void aValueThatIsDecodedToNullIsDamage() throws IOException {
    String place = place(2222);
    Codec<String> codec =
        new Codec<>() {
          @Override
          public byte[] encode(String value) {
            return Codec.utf8().encode(value);
          }

          @Override
          @SuppressWarnings("NullAway") // what a codec must not do
          public String decode(byte[] bytes) {
            String value = Codec.utf8().decode(bytes);
            return value.equals(values.get(2222)) ? null : value;
          }
        };
    LogException.Corrupt refused = assertThrows(LogException.Corrupt.class, () -> replayed(codec));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith(place) && message.contains("null"), message);
  }

  @Test
  void whatAReceiverOfProgressThrowsEndsTheRecovery() {
    AtomicBoolean asked = new AtomicBoolean();
    RuntimeException thrown = new IllegalStateException("no interest");
    ReplayHandler<String, String> receiver =
        new ReplayHandler<>() {
          @Override
          public void change(long sequence, Change<String, String> change) {}

          @Override
          public void entry(Change.Put<String, String> put, long version, long stamp) {}

          @Override
          public void progress(long bytesRead, long bytesTotal) {
            throw thrown;
          }

          @Override
          public Optional<Unordered<String, String>> unordered() {
            asked.set(true);
            return Optional.of(new Receiver());
          }
        };
    try (FileLog<String, String> log = open(Codec.utf8())) {
      assertSame(thrown, assertThrows(IllegalStateException.class, () -> log.replay(receiver)));
    }
    assertTrue(asked.get());
  }

  @Test
  void anInterruptDoesNoHarmAndIsKept() throws InterruptedException {
    AtomicReference<@Nullable Object> told = new AtomicReference<>();
    AtomicBoolean kept = new AtomicBoolean();
    Thread opener =
        new Thread(
            () -> {
              try {
                told.set(replayed(interrupting(Thread.currentThread())));
              } catch (LogException failed) {
                told.set(failed);
              }
              kept.set(Thread.interrupted());
            });
    opener.start();
    opener.join();
    assertEquals(values, told.get());
    assertTrue(kept.get(), "the flag");
  }

  private static Codec<String> interrupting(Thread opener) {
    return new Codec<>() {
      @Override
      public byte[] encode(String value) {
        return Codec.utf8().encode(value);
      }

      @Override
      public String decode(byte[] bytes) {
        opener.interrupt();
        Thread.currentThread().interrupt();
        return Codec.utf8().decode(bytes);
      }
    };
  }
}
