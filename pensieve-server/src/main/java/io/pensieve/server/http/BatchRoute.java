package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import io.pensieve.AtomicBatch;
import io.pensieve.BatchResult;
import io.pensieve.IncrementResult;
import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.pensieve.Write;
import io.pensieve.server.http.BatchOperation.Batch;
import io.pensieve.server.http.BatchOperation.Check;
import io.pensieve.server.http.BatchOperation.Delete;
import io.pensieve.server.http.BatchOperation.Get;
import io.pensieve.server.http.BatchOperation.Incr;
import io.pensieve.server.http.BatchOperation.Invalid;
import io.pensieve.server.http.BatchOperation.Put;
import io.pensieve.server.http.BatchOperation.Touch;
import io.pensieve.server.http.json.EntryJson;
import io.pensieve.server.http.json.FieldWriter;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.value.StoredNumberCodec;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The route that executes several operations in one request. */
final class BatchRoute {
  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final BatchOperation.Parser parser;
  private final InstantSource clock;
  private final IdempotentWrites writes;

  BatchRoute(
      Pensieve<String, StoredValue> map,
      SizeLimits limits,
      InstantSource clock,
      IdempotentWrites writes) {
    this.map = map;
    this.limits = limits;
    this.parser = new BatchOperation.Parser(limits);
    this.clock = clock;
    this.writes = writes;
  }

  void post(HttpServerExchange exchange) throws Exception {
    QueryParameters.requireNone(exchange);
    MediaType.requireJson(exchange.getRequestHeaders());
    // A batch may take long, and its reads may wait for the disk, so a worker runs it.
    RequestBody.read(
        exchange,
        limits.batchBodyBytesMax(),
        limits.textBytesMax(),
        body -> {
          Batch batch = parser.parse(body);
          exchange.dispatch(ExceptionMapper.mapped(onWorker -> run(onWorker, batch)));
        });
  }

  private void run(HttpServerExchange exchange, Batch batch) throws Exception {
    if (batch.atomic()) {
      runAsOne(exchange, batch.operations());
    } else {
      IdempotentWrites.requireNone(
          exchange, "only an atomic batch is executed as a whole; nothing was changed");
      runEach(exchange, batch.operations());
    }
  }

  private void runAsOne(HttpServerExchange exchange, List<BatchOperation> operations)
      throws Exception {
    AtomicBatch<String, StoredValue> batch = new AtomicBatch<>();
    operations.forEach(operation -> add(batch, operation));
    Optional<BatchResult<StoredValue>> executed =
        writes.execute(exchange, () -> submit(batch), BatchRoute::answerRepeated);
    if (executed.isPresent()) {
      answer(exchange, operations, executed.get());
    }
  }

  // The results are not remembered, only that the batch was executed.
  private static void answerRepeated(HttpServerExchange exchange, PastRequest past) {
    JsonResponses.object(
        exchange, json -> json.name("repeated").value(true).name("version").value(past.version()));
  }

  private void answer(
      HttpServerExchange exchange,
      List<BatchOperation> operations,
      BatchResult<StoredValue> outcome)
      throws Exception {
    DeferredResponses.sendWhenDurable(
        exchange,
        outcome.durable(),
        done -> {
          if (outcome.failure().isPresent()) {
            throw refusal(outcome.failure().get());
          }
          List<FieldWriter> results = new ArrayList<>();
          ReadBudget readBudget = new ReadBudget(done);
          for (int i = 0; i < operations.size(); i++) {
            results.add(result(operations.get(i), outcome.results().get(i), readBudget));
          }
          answer(done, results);
        });
  }

  private BatchResult<StoredValue> submit(AtomicBatch<String, StoredValue> batch) {
    try {
      return map.writeAsync(batch);
    } catch (IllegalArgumentException tooMuch) {
      throw ProblemType.BATCH_TOO_LARGE.withDetail(
          "an atomic batch writes at most "
              + map.maximumEntries()
              + " entries, and "
              + limits.logEntryBytesMax()
              + " bytes with some for each entry; this one is beyond that");
    }
  }

  private static void add(AtomicBatch<String, StoredValue> batch, BatchOperation operation) {
    if (operation instanceof Get get) {
      batch.get(get.key());
    } else if (operation instanceof Put put) {
      if (put.ttl().isPresent()) {
        batch.put(put.key(), put.value(), put.ttl().get());
      } else {
        batch.put(put.key(), put.value());
      }
    } else if (operation instanceof Delete delete) {
      batch.remove(delete.key());
    } else if (operation instanceof Touch touch) {
      batch.touch(touch.key(), touch.ttl());
    } else if (operation instanceof Incr incr) {
      batch.increment(incr.key(), incr.by(), StoredNumberCodec.DECIMAL, incr.ttl());
    } else if (operation instanceof Check check) {
      if (check.version() == 0) {
        batch.requireAbsent(check.key());
      } else {
        batch.requireVersion(check.key(), check.version());
      }
    }
  }

  private static ProblemException refusal(BatchResult.Failure<StoredValue> refused) {
    Versioned<StoredValue> entry = refused.entry();
    ProblemType problem =
        refused.reason() == BatchResult.Reason.REQUIREMENT
            ? ProblemType.PRECONDITION_FAILED
            : ProblemType.NOT_AN_INTEGER;
    return new ProblemException(
        problem,
        "operation " + refused.operation() + " cannot be done, so none was",
        json ->
            json.name("op")
                .value(refused.operation())
                .name("version")
                .value(entry == null ? 0 : entry.version()));
  }

  private FieldWriter result(
      BatchOperation operation,
      BatchResult.OperationResult<StoredValue> done,
      ReadBudget readBudget) {
    Versioned<StoredValue> entry = done.entry();
    if (operation instanceof Get) {
      return readBudget.found(entry);
    }
    if (operation instanceof Touch) {
      return touched(done.changed(), entry == null ? 0 : entry.version());
    }
    if (operation instanceof Delete || entry == null) {
      return status(operation instanceof Check ? StatusCodes.OK : StatusCodes.NO_CONTENT);
    }
    if (operation instanceof Incr) {
      return number(StoredNumberCodec.DECIMAL.toLong(entry.value()), entry.version());
    }
    if (operation instanceof Check) {
      return versioned(StatusCodes.OK, entry.version());
    }
    return written(done.previous() == null, entry.version());
  }

  private void runEach(HttpServerExchange exchange, List<BatchOperation> operations)
      throws Exception {
    List<Supplier<FieldWriter>> results = new ArrayList<>();
    ReadBudget readBudget = new ReadBudget(exchange);
    List<CompletableFuture<?>> waiting = new ArrayList<>();
    for (BatchOperation operation : operations) {
      results.add(start(operation, readBudget, waiting));
    }
    CompletableFuture<Void> all =
        CompletableFuture.allOf(waiting.toArray(CompletableFuture[]::new))
            .handle((done, failure) -> null);
    DeferredResponses.sendWhenDurable(
        exchange, all, done -> answer(done, results.stream().map(BatchRoute::evaluate).toList()));
  }

  /**
   * Starts an operation, and adds to the futures it depends on. Once those are done, the supplier
   * returns the result.
   */
  private Supplier<FieldWriter> start(
      BatchOperation operation, ReadBudget readBudget, List<CompletableFuture<?>> waiting) {
    try {
      if (operation instanceof Invalid invalid) {
        throw invalid.problem();
      }
      if (operation instanceof Get get) {
        Versioned<StoredValue> entry = map.getVersioned(get.key());
        return () -> readBudget.found(entry);
      }
      if (operation instanceof Incr incr) {
        CompletableFuture<IncrementResult> sum =
            IncrementRoute.increment(map, incr.key(), incr.by(), incr.ttl());
        waiting.add(sum);
        return () -> number(sum.join().value(), sum.join().version());
      }
      PendingWrite<StoredValue> write = submit(operation);
      waiting.add(write.durable());
      return () -> {
        write.durable().join();
        return result(operation, write);
      };
    } catch (RuntimeException refused) {
      return () -> problem(refused);
    }
  }

  private PendingWrite<StoredValue> submit(BatchOperation operation) {
    if (operation instanceof Put put) {
      Write.Put<String, StoredValue> write = Write.put(put.key(), put.value());
      return map.writeAsync(put.ttl().map(write::ttl).orElse(write));
    }
    if (operation instanceof Touch touch) {
      return map.writeAsync(Write.touch(touch.key(), touch.ttl()));
    }
    if (operation instanceof Delete delete) {
      return map.removeAsync(delete.key());
    }
    if (operation instanceof Check check) {
      // No entry has version 0, so this call only reads the version.
      return map.writeAsync(Write.removeIfVersion(check.key(), 0));
    }
    throw new IllegalArgumentException("not submitted: " + operation.getClass());
  }

  private static FieldWriter result(BatchOperation operation, PendingWrite<StoredValue> write) {
    if (operation instanceof Put) {
      return written(write.previous() == null, write.version());
    }
    if (operation instanceof Touch) {
      return touched(write.applied(), write.version());
    }
    if (operation instanceof Check check) {
      boolean holds = check.version() == write.version();
      return versioned(holds ? StatusCodes.OK : StatusCodes.PRECONDITION_FAILED, write.version());
    }
    return status(StatusCodes.NO_CONTENT);
  }

  private static FieldWriter evaluate(Supplier<FieldWriter> result) {
    try {
      return result.get();
    } catch (CompletionException failed) {
      return problem(failed);
    }
  }

  private static FieldWriter problem(Throwable failure) {
    ProblemException exception = ExceptionMapper.problemFor(failure);
    ProblemType problem = exception.type();
    return json ->
        json.name("status")
            .value(problem.status())
            .name("code")
            .value(problem.code())
            .name("detail")
            .value(exception.detail());
  }

  /**
   * The values that one batch returns. When they are read, the operations are done. So only the
   * values that exceed the budget are rejected, one by one.
   */
  private final class ReadBudget {
    private final ValueBudget budget;

    ReadBudget(HttpServerExchange exchange) {
      budget = new ValueBudget(exchange, limits.batchBytesMax());
    }

    FieldWriter found(@Nullable Versioned<StoredValue> entry) {
      if (entry == null) {
        return status(StatusCodes.NOT_FOUND);
      }
      try {
        budget.claim(entry.value());
      } catch (ProblemException noRoom) {
        return problem(noRoom);
      }
      return json -> {
        json.name("status").value(StatusCodes.OK);
        EntryJson.write(json, entry, entry.remaining(clock.instant()));
      };
    }
  }

  private static FieldWriter written(boolean isNew, long version) {
    return versioned(isNew ? StatusCodes.CREATED : StatusCodes.NO_CONTENT, version);
  }

  private static FieldWriter touched(boolean isPresent, long version) {
    return versioned(isPresent ? StatusCodes.NO_CONTENT : StatusCodes.NOT_FOUND, version);
  }

  private static FieldWriter versioned(int status, long version) {
    return json -> {
      json.name("status").value(status);
      write(json, version);
    };
  }

  // Version 0 means no entry: it is missing, or a later operation of the batch removes it.
  private static void write(JsonWriter json, long version) throws IOException {
    if (version != 0) {
      json.name("version").value(version);
    }
  }

  private static FieldWriter number(long value, long version) {
    return json -> {
      json.name("status").value(StatusCodes.OK).name("value").value(value);
      write(json, version);
    };
  }

  private static FieldWriter status(int status) {
    return json -> json.name("status").value(status);
  }

  private static void answer(HttpServerExchange exchange, List<FieldWriter> results) {
    JsonResponses.objectHeld(
        exchange,
        json -> {
          json.name("results").beginArray();
          for (FieldWriter result : results) {
            json.beginObject();
            result.write(json);
            json.endObject();
          }
          json.endArray();
        });
  }
}
