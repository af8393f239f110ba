package io.pensieve.server.http;

import io.pensieve.PendingRead;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.pensieve.server.http.json.EntryJson;
import io.pensieve.server.http.json.LazyJsonWriter;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.ReadConsistency;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The route that reads several entries. It reads one after another, so the response is no snapshot:
 * each entry is the latest at the moment when it is read.
 */
final class MultiGetRoute {
  private static final String KEY = "key";
  private static final String PEEK = "peek";
  private static final Set<String> PARAMETERS = Set.of(PEEK, ReadConsistency.PARAMETER);

  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final InstantSource clock;

  MultiGetRoute(Pensieve<String, StoredValue> map, SizeLimits limits, InstantSource clock) {
    this.map = map;
    this.limits = limits;
    this.clock = clock;
  }

  void get(HttpServerExchange exchange) {
    QueryParameters query = QueryParameters.of(exchange, PARAMETERS, KEY);
    boolean isPeek = query.text(PEEK).isPresent(); // an export is no use of every entry
    if (isPeek && !query.text(PEEK).get().equals("true")) {
      throw QueryParameters.invalid(PEEK, "true");
    }
    List<String> keys = query.repeated();
    if (keys.isEmpty() || keys.size() > SizeLimits.BATCH_OPERATIONS_MAX) {
      throw QueryParameters.invalid(
          KEY, "there once for each key, 1 to " + SizeLimits.BATCH_OPERATIONS_MAX + " times");
    }
    for (String key : keys) {
      String unused = limits.key(key);
    }
    // A thousand entries take long, so a worker reads them.
    exchange.dispatch(
        ExceptionMapper.mapped(
            LeaderGate.onWorker(
                onWorker -> read(onWorker, keys, isPeek ? map::peekAsync : map::getAsync))));
  }

  private void read(
      HttpServerExchange exchange,
      List<String> keys,
      Function<String, PendingRead<StoredValue>> reading)
      throws Exception {
    List<Entry> entries = new ArrayList<>(keys.size());
    List<CompletableFuture<Void>> waiting = new ArrayList<>();
    for (String key : keys) {
      PendingRead<StoredValue> read = reading.apply(key);
      LeaderGate.requireCertain(exchange, read.expired());
      entries.add(new Entry(key, read.entry()));
      if (!read.durable().isDone() || read.durable().isCompletedExceptionally()) {
        waiting.add(read.durable());
      }
    }
    CompletableFuture<Void> all =
        CompletableFuture.allOf(waiting.toArray(CompletableFuture[]::new));
    DeferredResponses.sendWhenDurable(exchange, all, done -> answer(done, entries));
  }

  private record Entry(String key, @Nullable Versioned<StoredValue> found) {}

  private void answer(HttpServerExchange exchange, List<Entry> entries) {
    ValueBudget budget = new ValueBudget(exchange, limits.batchBytesMax());
    List<Entry> told = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    List<String> leftOut = new ArrayList<>();
    for (Entry entry : entries) {
      Versioned<StoredValue> found = entry.found();
      if (found == null) {
        missing.add(entry.key());
      } else if (leftOut.isEmpty() && fits(budget, found, told.isEmpty())) {
        told.add(entry);
      } else {
        leftOut.add(entry.key());
      }
    }
    JsonResponses.objectHeld(
        exchange,
        json -> {
          json.name("entries").beginArray();
          for (Entry entry : told) {
            write(json, entry);
          }
          json.endArray();
          writeKeys(json, "missing", missing);
          writeKeys(json, "left_out", leftOut);
        });
  }

  // A response has at least one entry if there is any: otherwise the client could not get further.
  private static boolean fits(
      ValueBudget budget, Versioned<StoredValue> entry, boolean isRequired) {
    try {
      budget.claim(entry.value());
      return true;
    } catch (ProblemException noRoom) {
      if (isRequired) {
        throw noRoom;
      }
      return false;
    }
  }

  private void write(LazyJsonWriter json, Entry entry) throws IOException {
    Versioned<StoredValue> found = entry.found();
    if (found != null) {
      json.beginObject().name("key").value(entry.key());
      EntryJson.write(json, found, found.remaining(clock.instant()));
      json.endObject();
    }
  }

  private static void writeKeys(LazyJsonWriter json, String name, List<String> keys)
      throws IOException {
    json.name(name).beginArray();
    for (String key : keys) {
      json.value(key);
    }
    json.endArray();
  }
}
