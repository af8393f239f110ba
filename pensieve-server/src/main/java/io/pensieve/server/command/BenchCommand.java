package io.pensieve.server.command;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.pensieve.server.client.PensieveClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Model.CommandSpec;

/** Puts a load on a server, and tells how long its answers took. Deletes what it has put. */
final class BenchCommand implements Command {
  private static final String KEYS = "--keys";
  private static final String VALUE_BYTES = "--value-bytes";
  private static final String CONNECTIONS = "--connections";
  private static final String PUTS = "--puts";
  private static final String SECONDS = "--seconds";
  private static final String WARM_UP = "--warm-up";
  private static final String RATE = "--rate";
  private static final String EVICT = "--evict";

  private static final int KEYS_MAX = 100_000_000;
  private static final int VALUE_BYTES_MAX = 16 << 20;
  private static final int CONNECTIONS_MAX = 256;
  private static final int PERCENT = 100;
  private static final int SECONDS_MAX = 86_400;
  private static final int RATE_MAX = 1_000_000;
  private static final int ENTRY_BYTES = 300; // beside the value, roughly
  private static final int BATCH = 500;
  private static final long FILL_CHARACTERS_MAX = 512 << 10;
  private static final long TIDY_SECONDS = 30;
  private static final double MILLI = 1e6;

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Puts a load on a server, and prints latencies.",
            "Puts keys of its own, gets and puts them at random from several connections, and"
                + " deletes them. Refuses to if the server would have to evict other entries.")
        .addOption(Options.text(KEYS, "N", "How many keys; 10000 by default."))
        .addOption(Options.text(VALUE_BYTES, "N", "The length of a value; 100 by default."))
        .addOption(Options.text(CONNECTIONS, "N", "How many connections; 16 by default."))
        .addOption(Options.text(PUTS, "PERCENT", "The share of puts; 10 by default."))
        .addOption(Options.text(SECONDS, "N", "How long; 10 by default."))
        .addOption(Options.text(WARM_UP, "N", "Seconds before that do not count; 2 by default."))
        .addOption(
            Options.text(
                RATE,
                "N",
                "Requests a second in all, and latencies from when each was due; by default as"
                    + " many as are answered."))
        .addOption(Options.flag(EVICT, "Go on even if other entries are evicted for these."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    int connections = number(session, CONNECTIONS, 16, 1, CONNECTIONS_MAX);
    int rate = number(session, RATE, 0, 1, RATE_MAX);
    long warmUp = TimeUnit.SECONDS.toNanos(number(session, WARM_UP, 2, 0, SECONDS_MAX));
    long length = TimeUnit.SECONDS.toNanos(number(session, SECONDS, 10, 1, SECONDS_MAX));
    int keys = number(session, KEYS, 10_000, 1, KEYS_MAX);
    int valueBytes = number(session, VALUE_BYTES, 100, 0, VALUE_BYTES_MAX);
    int putPercent = number(session, PUTS, 10, 0, PERCENT);
    requireRoom(session, keys, valueBytes);
    // Nobody else has these keys.
    RandomGenerator random = RandomGenerator.getDefault();
    String prefix = "bench/" + Long.toHexString(random.nextLong()) + "/";
    List<LoadThread> threads = new ArrayList<>();
    CountDownLatch tidied = new CountDownLatch(1);
    Thread hook = new Thread(() -> stopAndWait(threads, tidied), "pensieve-bench-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      fill(session, prefix, keys, valueBytes);
      long begin = System.nanoTime() + warmUp;
      long period = rate == 0 ? 0 : TimeUnit.SECONDS.toNanos(connections) / rate;
      LoadThread.Load load =
          new LoadThread.Load(
              session.client(),
              prefix,
              keys,
              valueBytes,
              putPercent,
              period,
              begin,
              begin + length);
      synchronized (threads) {
        for (int i = 0; i < connections; i++) {
          threads.add(new LoadThread(load, random.nextLong()));
        }
      }
      runAll(threads);
      return report(session, threads, Math.min(length, System.nanoTime() - begin));
    } finally {
      tidy(session.client(), prefix, keys, tidied, hook);
    }
  }

  private static int number(Session session, String option, int byDefault, int min, int max) {
    if (!session.has(option)) {
      return byDefault;
    }
    try {
      int number = Integer.parseInt(session.text(option));
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException refusedBelow) {
      // The message is the same for a text that is no number.
    }
    throw new UsageException(option + " is not a whole number from " + min + " to " + max);
  }

  private static void requireRoom(Session session, long keys, long valueBytes)
      throws IOException, InterruptedException {
    JsonObject status = session.client().getJson("/v1/status");
    long entries = left(status, "entries");
    long bytes = left(status, "weight_bytes");
    if (!session.has(EVICT) && (keys > entries || keys * (valueBytes + ENTRY_BYTES) > bytes)) {
      throw new UsageException(
          "the server has room for "
              + entries
              + " entries and "
              + bytes
              + " bytes more; beyond that it evicts others: give fewer "
              + KEYS
              + ", or "
              + EVICT);
    }
  }

  private static long left(JsonObject status, String name) {
    return status.get(name + "_max").getAsLong() - status.get(name).getAsLong();
  }

  private static void fill(Session session, String prefix, int keys, int valueBytes)
      throws IOException, InterruptedException {
    Progress progress = Progress.on(session, "put", keys);
    String value = "v".repeat(valueBytes);
    int batch = (int) Math.max(1, Math.min(BATCH, FILL_CHARACTERS_MAX / (valueBytes + 100)));
    JsonArray operations = new JsonArray();
    for (int key = 0; key < keys; key++) {
      JsonObject put = operation("put", prefix + key);
      put.addProperty("value", value);
      operations.add(put);
      if (operations.size() == batch || key == keys - 1) {
        send(session.client(), operations);
        operations = new JsonArray();
        progress.show(key);
      }
    }
    progress.clear();
  }

  private static JsonObject operation(String name, String key) {
    JsonObject operation = new JsonObject();
    operation.addProperty("op", name);
    operation.addProperty("key", key);
    return operation;
  }

  private static void send(PensieveClient client, JsonArray operations)
      throws IOException, InterruptedException {
    JsonObject body = new JsonObject();
    body.addProperty("atomic", false);
    body.add("ops", operations);
    JsonObject unused = client.postJson("/v1/batch", body);
  }

  // One by one, as a token to write may do; to delete by prefix takes one to administer.
  private static void tidy(
      PensieveClient client, String prefix, int keys, CountDownLatch tidied, Thread hook)
      throws IOException, InterruptedException {
    try {
      delete(client, prefix, keys);
    } finally {
      tidied.countDown(); // else the end of the process would wait for it
      forget(hook);
    }
  }

  private static void delete(PensieveClient client, String prefix, int keys)
      throws IOException, InterruptedException {
    JsonArray operations = new JsonArray();
    for (int key = 0; key < keys; key++) {
      operations.add(operation("delete", prefix + key));
      if (operations.size() == BATCH || key == keys - 1) {
        send(client, operations);
        operations = new JsonArray();
      }
    }
  }

  private static void runAll(List<LoadThread> loads) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (LoadThread load : loads) {
      Thread thread = new Thread(load, "pensieve-bench");
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  // Ctrl-C ends the load, and what was put is deleted all the same.
  private static void stopAndWait(List<LoadThread> threads, CountDownLatch tidied) {
    synchronized (threads) {
      threads.forEach(thread -> thread.stopped = true);
    }
    try {
      boolean unused = tidied.await(TIDY_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }

  private static void forget(Thread hook) {
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException alreadyStopping) {
      // It is the hook that waits for this thread.
    }
  }

  private static int report(Session session, List<LoadThread> threads, long nanos) {
    LoadThread.Count gets = new LoadThread.Count();
    LoadThread.Count puts = new LoadThread.Count();
    for (LoadThread thread : threads) {
      gets.add(thread.gets);
      puts.add(thread.puts);
    }
    double seconds = nanos / 1e9;
    if (session.isJson()) {
      JsonObject report = new JsonObject();
      report.addProperty("seconds", seconds);
      report.add("get", json(gets, seconds));
      report.add("put", json(puts, seconds));
      session.json(report);
    } else {
      session.line(
          String.format(
              "%-5s %12s %12s %8s %8s %10s %10s %10s %10s",
              "",
              "requests",
              "per second",
              "misses",
              "errors",
              "p50 ms",
              "p99 ms",
              "p99.9 ms",
              "max ms"));
      row(session, "get", gets, seconds);
      row(session, "put", puts, seconds);
    }
    return gets.errors + puts.errors == 0 ? ExitCode.DONE : ExitCode.REFUSED;
  }

  private static JsonObject json(LoadThread.Count count, double seconds) {
    Histogram nanos = count.nanos;
    JsonObject json = new JsonObject();
    json.addProperty("requests", nanos.getTotalCount());
    json.addProperty("per_second", nanos.getTotalCount() / seconds);
    json.addProperty("misses", count.misses);
    json.addProperty("errors", count.errors);
    json.addProperty("p50_ms", nanos.getValueAtPercentile(50) / MILLI);
    json.addProperty("p99_ms", nanos.getValueAtPercentile(99) / MILLI);
    json.addProperty("p999_ms", nanos.getValueAtPercentile(99.9) / MILLI);
    json.addProperty("max_ms", nanos.getMaxValue() / MILLI);
    return json;
  }

  private static void row(Session session, String name, LoadThread.Count count, double seconds) {
    Histogram nanos = count.nanos;
    session.line(
        String.format(
            Locale.ROOT,
            "%-5s %12d %12.0f %8d %8d %10.3f %10.3f %10.3f %10.3f",
            name,
            nanos.getTotalCount(),
            nanos.getTotalCount() / seconds,
            count.misses,
            count.errors,
            nanos.getValueAtPercentile(50) / MILLI,
            nanos.getValueAtPercentile(99) / MILLI,
            nanos.getValueAtPercentile(99.9) / MILLI,
            nanos.getMaxValue() / MILLI));
  }
}
