package io.pensieve.log.file;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A process to be killed: opens a map, compacts it, backs it up and closes it beside its writers,
 * again and again, and reports when each of these begins and is over, and each acknowledged write.
 */
@SuppressWarnings("EnumOrdinal") // phases are numbered in the reports
final class KillableMap {
  static final int WRITERS = 2;
  static final int KEYS = 40; // of each writer
  static final long COUNTS = 1_000_000_000; // of each life, more than it can count to
  static final String BEGUN = "begun-";
  static final String OVER = "over-";
  static final String BACKED_UP = "backed-up";
  private static final int REMOVED_KEY_OF = 5; // each fifth key is removed when it has been put
  private static final int VALUE_BYTES_MIN = 16;
  private static final int VALUE_BYTES_MAX = 256 << 10;
  private static final int BACKUPS_MAX = 2; // so that they do not fill the disk

  /** In what it can be killed. */
  enum Phase {
    OPENING,
    COMPACTION,
    BACKUP,
    CLOSING
  }

  /** What there is nearly none left of, again and again. */
  enum Scarce {
    NOTHING,
    HEAP,
    DISK
  }

  private final Path place;
  private final Durability durability;
  private final Reports reports = new Reports();
  private final long[] acknowledged = new long[WRITERS * KEYS]; // each stored by its key's writer
  private final long[] next = new long[WRITERS];
  private final CountDownLatch warm = new CountDownLatch(1); // it was opened and closed once
  private int backups;
  private volatile @Nullable Object hoard;

  private KillableMap(Path place, Durability durability, long first) {
    this.place = place;
    this.durability = durability;
    Arrays.fill(acknowledged, -1);
    Arrays.fill(next, first);
  }

  public static void main(String[] args) {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, broken) -> {
          if (!isOutOfMemory(broken)) {
            broken.printStackTrace();
            Runtime.getRuntime().halt(3); // nobody has killed it: the test will say so
          }
        });
    long life = Long.parseLong(args[2]);
    KillableMap mortal =
        new KillableMap(Path.of(args[0]), Durability.valueOf(args[1]), life * COUNTS);
    switch (Scarce.valueOf(args[3])) {
      case NOTHING -> {}
      case HEAP -> daemon(() -> mortal.hoardHeap(new Random(life)));
      case DISK -> daemon(() -> mortal.hoardDisk(new Random(life), life == 0));
    }
    while (true) {
      try {
        mortal.run();
      } catch (OutOfMemoryError nothingLeft) {
        // Once more: the heap, or the disk, will be free again.
      } catch (Throwable other) {
        other.printStackTrace();
        Runtime.getRuntime().halt(5);
      }
    }
  }

  static Path log(Path place) {
    return place.resolve("log");
  }

  static Path backup(Path place, long number) {
    return place.resolve("backup-" + number);
  }

  static Path filler(Path place) {
    return place.resolve("filler");
  }

  // A log so small that its segments are many, and no disk has room in reserve for it.
  static FileLog<String, byte[]> log(Path folder, Durability durability) {
    LogSettings settings =
        new LogSettings(
            SequenceOrigin.ofTime(InstantSource.system(), new SecureRandom()),
            durability,
            1 << 20,
            VALUE_BYTES_MAX + 64,
            1 << 20,
            4096,
            new LogSettings.Compaction(4 << 20, 64 << 10, 1L << 40, 1L << 40),
            new ReplayPipeline.Settings(2, 64 << 10, 0));
    return FileLog.open(
        new FileDisk(), folder, Codec.utf8(), Codec.bytes(), settings, LogThreads.daemons());
  }

  static Pensieve<String, byte[]> map(FileLog<String, byte[]> log) {
    return Pensieve.<String, byte[]>builder()
        .maximumEntries(2 * WRITERS * KEYS) // evicts nothing
        .log(log)
        .open();
  }

  static String key(int index) {
    return "k" + index;
  }

  /** Whether a key is removed whenever it has been put. */
  static boolean isRemoved(int index) {
    return index % KEYS % REMOVED_KEY_OF == 0;
  }

  // From some bytes to 256 KiB, any power of two as often as another.
  static byte[] value(long count) {
    SplittableRandom random = new SplittableRandom(count);
    double power = random.nextDouble(Math.log(VALUE_BYTES_MIN), Math.log(VALUE_BYTES_MAX));
    byte[] value = new byte[(int) Math.exp(power)];
    random.nextBytes(value);
    for (int i = 0; i < Long.BYTES; i++) {
      value[i] = (byte) (count >>> (8 * i));
    }
    return value;
  }

  /** The count that a value was made of, or -1 for no value. */
  static long count(byte @Nullable [] value) {
    if (value == null) {
      return -1;
    }
    long count = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      count |= (value[i] & 0xffL) << (8 * i);
    }
    return count;
  }

  /** What is wrong with a key of which this count was acknowledged, or null. */
  static @Nullable String wrong(int index, long acknowledged, byte @Nullable [] value) {
    long found = count(value);
    boolean isThere =
        isRemoved(index) ? value == null || found > acknowledged : found >= acknowledged;
    return isThere ? null : key(index) + ": acknowledged " + acknowledged + ", found " + found;
  }

  private void run() {
    FileLog<String, byte[]> log = log(log(place), durability);
    List<Thread> writers = new ArrayList<>(WRITERS);
    reports.begun(Phase.OPENING, 0);
    Pensieve<String, byte[]> map;
    try {
      map = open(log);
    } finally {
      reports.over(Phase.OPENING);
    }
    try {
      use(log, map, writers);
    } finally {
      // Nothing here needs memory: a map that is not closed could not be opened again.
      reports.begun(Phase.CLOSING, 0);
      close(map);
      reports.over(Phase.CLOSING);
      for (int i = 0; i < writers.size(); i++) {
        join(writers.get(i));
      }
      warm.countDown();
    }
  }

  private void use(
      FileLog<String, byte[]> log, Pensieve<String, byte[]> map, List<Thread> writers) {
    check(map);
    for (int writer = 0; writer < WRITERS; writer++) {
      int number = writer;
      writers.add(daemon(() -> write(map, number)));
    }
    LockSupport.parkNanos(3_000_000);
    step(Phase.COMPACTION, 0, log::compact);
    if (backups < BACKUPS_MAX) {
      int number = backups++;
      step(
          Phase.BACKUP,
          number,
          () -> {
            map.backup(backup(place, number));
            reports.backedUp(number);
          });
    }
    LockSupport.parkNanos(3_000_000);
  }

  private static Pensieve<String, byte[]> open(FileLog<String, byte[]> log) {
    try {
      return map(log);
    } catch (LogException.Failed failed) {
      if (isOutOfMemory(failed)) {
        throw new OutOfMemoryError();
      }
      if (isNoRoom(failed)) {
        LockSupport.parkNanos(1_000_000);
        throw new OutOfMemoryError();
      }
      throw failed;
    }
  }

  // An opening takes a page, and what is not known to be forced.
  private static boolean isNoRoom(Throwable failed) {
    return String.valueOf(failed.getCause()).contains("No space left");
  }

  private static void close(Pensieve<String, byte[]> map) {
    while (true) {
      try {
        map.close();
        return;
      } catch (LogException.Failed failed) {
        return; // it says so, and is closed
      } catch (OutOfMemoryError nothingLeft) {
        // What was not closed by then is closed by the next call.
      }
    }
  }

  private void step(Phase phase, int number, Runnable step) {
    reports.begun(phase, number);
    try {
      step.run();
    } catch (LogException.Failed | OutOfMemoryError | UncheckedIOException scarce) {
      // Refused; nothing is lost by it.
    }
    reports.over(phase);
  }

  // What this process itself was told is there when it opens the folder again.
  private void check(Pensieve<String, byte[]> map) {
    for (int index = 0; index < acknowledged.length; index++) {
      if (acknowledged[index] >= 0) {
        String wrong = wrong(index, acknowledged[index], map.get(key(index)));
        if (wrong != null) {
          throw new AssertionError(wrong);
        }
      }
    }
  }

  private void write(Pensieve<String, byte[]> map, int writer) {
    while (true) {
      long count = next[writer]++;
      int index = writer * KEYS + (int) (count % KEYS);
      try {
        String key = key(index);
        map.put(key, value(count));
        if (isRemoved(index)) {
          map.remove(key);
        }
        acknowledged[index] = count;
        reports.acknowledged(index, count);
        LockSupport.parkNanos(500_000); // or the disk would have more to do than the test
      } catch (OutOfMemoryError | LogException.Full nothingLeft) {
        LockSupport.parkNanos(1_000_000); // not acknowledged
      } catch (LogException.Failed | IllegalStateException closed) {
        return;
      }
    }
  }

  // Takes what is left of the heap, in smaller and smaller pieces, and gives it back after a while.
  private void hoardHeap(Random random) {
    await(warm); // an error in the first use of a class makes it useless for ever
    while (true) {
      for (int bytes : new int[] {64 << 10, 4 << 10, 128}) {
        try {
          while (true) {
            hoard = new Object[] {hoard, new byte[bytes]};
          }
        } catch (OutOfMemoryError nothingLeft) {
          // That is the aim.
        }
      }
      LockSupport.parkNanos(random.nextInt(3_000_000));
      hoard = null;
      LockSupport.parkNanos(random.nextInt(200_000_000));
    }
  }

  private void hoardDisk(Random random, boolean isFirst) {
    if (isFirst) {
      await(warm); // a new log needs room
    }
    byte[] piece = new byte[16 << 10];
    while (true) {
      try (FileOutputStream filler = new FileOutputStream(filler(place).toFile(), true)) {
        while (true) {
          filler.write(piece);
        }
      } catch (IOException nothingLeft) {
        LockSupport.parkNanos(random.nextInt(5_000_000));
      }
      try (FileOutputStream filler = new FileOutputStream(filler(place).toFile(), true)) {
        long bytes = filler.getChannel().size();
        filler.getChannel().truncate(Math.max(0, bytes - random.nextInt(4 << 20)));
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
      LockSupport.parkNanos(random.nextInt(10_000_000));
    }
  }

  private static boolean isOutOfMemory(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfMemoryError) {
        return true;
      }
    }
    return false;
  }

  private static Thread daemon(Runnable body) {
    Thread thread = new Thread(body);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException nobodyInterrupts) {
      throw new IllegalStateException(nobodyInterrupts);
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException nobodyInterrupts) {
      throw new IllegalStateException(nobodyInterrupts);
    }
  }

  /** Lines {@code name count .}, each in one write, and made without memory. */
  private static final class Reports {
    private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);
    private final byte[] line = new byte[64]; // guarded by this
    private final byte[][] keys = new byte[WRITERS * KEYS][];
    private final byte[][] begun = new byte[Phase.values().length][];
    private final byte[][] over = new byte[Phase.values().length][];
    private final byte[] backedUp = word(BACKED_UP);

    Reports() {
      Arrays.setAll(keys, index -> word(key(index)));
      Arrays.setAll(begun, phase -> word(BEGUN + Phase.values()[phase]));
      Arrays.setAll(over, phase -> word(OVER + Phase.values()[phase]));
    }

    private static byte[] word(String name) {
      return name.getBytes(StandardCharsets.US_ASCII);
    }

    void begun(Phase phase, int number) {
      tell(begun[phase.ordinal()], number);
    }

    void over(Phase phase) {
      tell(over[phase.ordinal()], 0);
    }

    void backedUp(long number) {
      tell(backedUp, number);
    }

    void acknowledged(int index, long count) {
      tell(keys[index], count);
    }

    private synchronized void tell(byte[] word, long count) {
      int at = line.length;
      line[--at] = '\n';
      line[--at] = '.';
      line[--at] = ' ';
      long left = count;
      do {
        line[--at] = (byte) ('0' + left % 10);
        left /= 10;
      } while (left > 0);
      line[--at] = ' ';
      at -= word.length;
      System.arraycopy(word, 0, line, at, word.length);
      try {
        out.write(line, at, line.length - at);
      } catch (IOException nobodyListens) {
        Runtime.getRuntime().halt(4);
      }
    }
  }
}
