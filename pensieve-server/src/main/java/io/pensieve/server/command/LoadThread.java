package io.pensieve.server.command;

import io.pensieve.server.client.KeepAliveConnection;
import io.pensieve.server.client.PensieveClient;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** One connection of a load: gets and puts, one after the other, and how long each took. */
final class LoadThread implements Runnable {
  private static final int DIGITS = 3;
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final int NOT_FOUND = 404;
  private static final int PROBLEM = 400;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** What all connections of a load have in common. */
  record Load(
      PensieveClient client,
      String prefix,
      int keys,
      int valueBytes,
      int putPercent,
      long periodNanos,
      long beginNanos,
      long endNanos) {

    String key(int number) {
      return prefix + number;
    }

    boolean isOver(long nanos) {
      return nanos - endNanos >= 0;
    }
  }

  /** What was counted of one kind of request. */
  static final class Count {
    final Histogram nanos = new Histogram(LONGEST_NANOS, DIGITS);
    long errors;
    long misses;

    void add(Count other) {
      nanos.add(other.nanos);
      errors += other.errors;
      misses += other.misses;
    }
  }

  final Count gets = new Count();
  final Count puts = new Count();
  volatile boolean stopped;

  private final Load load;
  private final RandomGenerator random;
  private final byte[] value;
  private @Nullable KeepAliveConnection connection;

  LoadThread(Load load, long seed) {
    this.load = load;
    this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    this.value = new byte[load.valueBytes()];
    Arrays.fill(value, (byte) 'v');
  }

  @Override
  public void run() {
    long due = System.nanoTime();
    try {
      while (!stopped && !load.isOver(System.nanoTime())) {
        long now = System.nanoTime();
        if (load.periodNanos() == 0) {
          due = now;
        } else if (due - now > 0) {
          LockSupport.parkNanos(due - now);
          continue;
        }
        // With a rate, a request counts from when it was due: one that is late because of the one
        // before waits as a user's would.
        request(due);
        due += load.periodNanos();
      }
    } finally {
      close();
    }
  }

  private void request(long dueNanos) {
    boolean isPut = random.nextInt(100) < load.putPercent();
    String key = load.key(random.nextInt(load.keys()));
    Count count = isPut ? puts : gets;
    int status = send(isPut ? put(key) : get(key));
    long now = System.nanoTime();
    if (dueNanos - load.beginNanos() < 0) {
      return; // warms up
    }
    if (status == NOT_FOUND && !isPut) {
      count.misses++;
    } else if (status >= PROBLEM || status < 0) {
      count.errors++;
      return;
    }
    count.nanos.recordValue(Math.min(now - dueNanos, LONGEST_NANOS));
  }

  // Returns -1 if there is no response.
  private int send(byte[] request) {
    try {
      KeepAliveConnection open = connection;
      if (open == null) {
        open = load.client().connect();
        connection = open;
      }
      return open.exchange(request);
    } catch (IOException broken) {
      close();
      LockSupport.parkNanos(PAUSE_NANOS);
      return -1;
    }
  }

  private byte[] get(String key) {
    return load.client().head("GET", "/v1/kv/" + PensieveClient.escaped(key), "");
  }

  byte[] put(String key) {
    byte[] head =
        load.client()
            .head(
                "PUT",
                "/v1/kv/" + PensieveClient.escaped(key),
                "Content-Length: " + value.length + "\r\n");
    byte[] request = Arrays.copyOf(head, head.length + value.length);
    System.arraycopy(value, 0, request, head.length, value.length);
    return request;
  }

  private void close() {
    KeepAliveConnection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException alreadyBroken) {
        // It is of no use any more, either way.
      }
    }
  }
}
