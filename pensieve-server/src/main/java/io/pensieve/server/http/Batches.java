package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import io.pensieve.AtomicBatch;
import io.pensieve.BatchOutcome;
import io.pensieve.Increment;
import io.pensieve.Pensieve;
import io.pensieve.Submission;
import io.pensieve.Versioned;
import io.pensieve.server.http.BatchOperation.Batch;
import io.pensieve.server.http.BatchOperation.Check;
import io.pensieve.server.http.BatchOperation.Delete;
import io.pensieve.server.http.BatchOperation.Get;
import io.pensieve.server.http.BatchOperation.Incr;
import io.pensieve.server.http.BatchOperation.Put;
import io.pensieve.server.http.BatchOperation.Refused;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The route that does several operations with one request. */
final class Batches {
  private final Pensieve<String, StoredValue> memories;
  private final Limits limits;
  private final BatchOperation.Parser parser;
  private final InstantSource clock;

  Batches(Pensieve<String, StoredValue> memories, Limits limits, InstantSource clock) {
    this.memories = memories;
    this.limits = limits;
    this.parser = new BatchOperation.Parser(limits);
    this.clock = clock;
  }

  void post(HttpServerExchange exchange, String noKey) throws Exception {
    Query.requireNone(exchange);
    MediaType.requireJson(exchange.getRequestHeaders());
    // A batch may take long, and its reads may wait for the disk: that is for a worker.
    RequestBody.read(
        exchange,
        limits.batchBodyBytesMax(),
        limits.textBytesMax(),
        body -> {
          Batch batch = parser.parse(body);
          exchange.dispatch(Failures.mapped(onWorker -> run(onWorker, batch)));
        });
  }

  private void run(HttpServerExchange exchange, Batch batch) throws Exception {
    if (batch.atomic()) {
      runAsOne(exchange, batch.operations());
    } else {
      runEach(exchange, batch.operations());
    }
  }

  private void runAsOne(HttpServerExchange exchange, List<BatchOperation> operations)
      throws Exception {
    AtomicBatch<String, StoredValue> batch = new AtomicBatch<>();
    operations.forEach(operation -> add(batch, operation));
    BatchOutcome<StoredValue> outcome = submit(batch);
    Acknowledged.answer(
        exchange,
        outcome.durable(),
        done -> {
          if (outcome.refusal().isPresent()) {
            throw refusal(outcome.refusal().get());
          }
          List<Answers.Fields> results = new ArrayList<>();
          Told told = new Told(done);
          for (int i = 0; i < operations.size(); i++) {
            results.add(result(operations.get(i), outcome.results().get(i), told));
          }
          answer(done, results);
        });
  }

  private BatchOutcome<StoredValue> submit(AtomicBatch<String, StoredValue> batch) {
    try {
      return memories.submit(batch);
    } catch (IllegalArgumentException tooMuch) {
      throw Problem.BATCH_TOO_LARGE.because(
          "an atomic batch writes at most "
              + memories.maximumEntries()
              + " entries, and "
              + limits.logEntryBytesMax()
              + " bytes with some for each entry; this one is beyond that");
    }
  }

  private static void add(AtomicBatch<String, StoredValue> batch, BatchOperation operation) {
    if (operation instanceof Get get) {
      batch.get(get.key());
    } else if (operation instanceof Put put) {
      if (put.life().isPresent()) {
        batch.put(put.key(), put.value(), put.life().get());
      } else {
        batch.put(put.key(), put.value());
      }
    } else if (operation instanceof Delete delete) {
      batch.remove(delete.key());
    } else if (operation instanceof Incr incr) {
      batch.increment(incr.key(), incr.by(), StoredNumbers.DECIMAL);
    } else if (operation instanceof Check check) {
      if (check.version() == 0) {
        batch.requireAbsent(check.key());
      } else {
        batch.requireVersion(check.key(), check.version());
      }
    }
  }

  private static Refusal refusal(BatchOutcome.Refusal<StoredValue> refused) {
    Versioned<StoredValue> entry = refused.entry();
    Problem problem =
        refused.reason() == BatchOutcome.Reason.REQUIREMENT
            ? Problem.PRECONDITION_FAILED
            : Problem.NOT_AN_INTEGER;
    return new Refusal(
        problem,
        "operation " + refused.operation() + " cannot be done, so none was",
        json ->
            json.name("op")
                .value(refused.operation())
                .name("version")
                .value(entry == null ? 0 : entry.version()));
  }

  private Answers.Fields result(
      BatchOperation operation, BatchOutcome.Result<StoredValue> done, Told told) {
    Versioned<StoredValue> entry = done.entry();
    if (operation instanceof Get) {
      return told.found(entry);
    }
    if (operation instanceof Delete || entry == null) {
      return status(operation instanceof Check ? StatusCodes.OK : StatusCodes.NO_CONTENT);
    }
    if (operation instanceof Incr) {
      return number(StoredNumbers.DECIMAL.toLong(entry.value()), entry.version());
    }
    if (operation instanceof Check) {
      return versioned(StatusCodes.OK, entry.version());
    }
    return written(done.previous() == null, entry.version());
  }

  private void runEach(HttpServerExchange exchange, List<BatchOperation> operations)
      throws Exception {
    List<Supplier<Answers.Fields>> results = new ArrayList<>();
    Told told = new Told(exchange);
    List<CompletableFuture<?>> waiting = new ArrayList<>();
    for (BatchOperation operation : operations) {
      results.add(start(operation, told, waiting));
    }
    CompletableFuture<Void> all =
        CompletableFuture.allOf(waiting.toArray(CompletableFuture[]::new))
            .handle((done, failure) -> null);
    Acknowledged.answer(
        exchange, all, done -> answer(done, results.stream().map(Batches::evaluate).toList()));
  }

  /** Does an operation; what came of it is told when all that is waited for has come about. */
  private Supplier<Answers.Fields> start(
      BatchOperation operation, Told told, List<CompletableFuture<?>> waiting) {
    try {
      if (operation instanceof Refused refused) {
        throw refused.refusal();
      }
      if (operation instanceof Get get) {
        Versioned<StoredValue> entry = memories.getVersioned(get.key());
        return () -> told.found(entry);
      }
      if (operation instanceof Incr incr) {
        CompletableFuture<Increment> sum =
            memories.submitIncrement(incr.key(), incr.by(), StoredNumbers.DECIMAL);
        waiting.add(sum);
        return () -> number(sum.join().value(), sum.join().version());
      }
      Submission<StoredValue> submission = submit(operation);
      waiting.add(submission.durable());
      return () -> {
        submission.durable().join();
        return result(operation, submission);
      };
    } catch (RuntimeException refused) {
      return () -> problem(refused);
    }
  }

  private Submission<StoredValue> submit(BatchOperation operation) {
    if (operation instanceof Put put) {
      return put.life().isPresent()
          ? memories.submitPut(put.key(), put.value(), put.life().get())
          : memories.submitPut(put.key(), put.value());
    }
    if (operation instanceof Delete delete) {
      return memories.submitRemove(delete.key());
    }
    if (operation instanceof Check check) {
      // No entry has the version 0, so this only looks.
      return memories.submitRemoveIfVersion(check.key(), 0);
    }
    throw new IllegalArgumentException("not submitted: " + operation.getClass());
  }

  private static Answers.Fields result(
      BatchOperation operation, Submission<StoredValue> submission) {
    if (operation instanceof Put) {
      return written(submission.previous() == null, submission.version());
    }
    if (operation instanceof Check check) {
      boolean holds = check.version() == submission.version();
      return versioned(
          holds ? StatusCodes.OK : StatusCodes.PRECONDITION_FAILED, submission.version());
    }
    return status(StatusCodes.NO_CONTENT);
  }

  private static Answers.Fields evaluate(Supplier<Answers.Fields> result) {
    try {
      return result.get();
    } catch (CompletionException failed) {
      return problem(failed);
    }
  }

  private static Answers.Fields problem(Throwable failure) {
    Refusal refusal = Failures.refusalFor(failure);
    Problem problem = refusal.problem();
    return json ->
        json.name("status")
            .value(problem.status())
            .name("code")
            .value(problem.code())
            .name("detail")
            .value(refusal.detail());
  }

  /**
   * What the gets of one batch tell together. A key may be read a thousand times, so that a short
   * request could ask for more than there is memory. By then the batch is done: whatever there is
   * no room for is refused by itself.
   */
  private final class Told {
    private final HeapRoom.Claim claim;
    private long bytes;

    Told(HttpServerExchange exchange) {
      claim = HeapRoom.OF_PROCESS.claimFor(exchange);
    }

    Answers.Fields found(@Nullable Versioned<StoredValue> entry) {
      if (entry == null) {
        return status(StatusCodes.NOT_FOUND);
      }
      try {
        claim(entry.value());
      } catch (Refusal noRoom) {
        return problem(noRoom);
      }
      return json -> {
        json.name("status").value(StatusCodes.OK);
        EntryJson.write(json, entry, entry.remaining(clock.instant()));
      };
    }

    private void claim(StoredValue value) {
      long more = bytes + value.size();
      if (more > limits.batchBytesMax()) {
        throw Problem.BATCH_TOO_LARGE.because("the gets before tell as much as a batch may");
      }
      if (more > HeapRoom.SMALL_BYTES_MAX) {
        claim.atLeast(more);
      }
      bytes = more;
    }
  }

  private static Answers.Fields written(boolean isNew, long version) {
    return versioned(isNew ? StatusCodes.CREATED : StatusCodes.NO_CONTENT, version);
  }

  private static Answers.Fields versioned(int status, long version) {
    return json -> {
      json.name("status").value(status);
      write(json, version);
    };
  }

  // 0 is the version of no entry: of one that is missing, or that the batch itself removes later.
  private static void write(JsonWriter json, long version) throws IOException {
    if (version != 0) {
      json.name("version").value(version);
    }
  }

  private static Answers.Fields number(long value, long version) {
    return json -> {
      json.name("status").value(StatusCodes.OK).name("value").value(value);
      write(json, version);
    };
  }

  private static Answers.Fields status(int status) {
    return json -> json.name("status").value(status);
  }

  private static void answer(HttpServerExchange exchange, List<Answers.Fields> results) {
    Answers.objectHeld(
        exchange,
        json -> {
          json.name("results").beginArray();
          for (Answers.Fields result : results) {
            json.beginObject();
            result.write(json);
            json.endObject();
          }
          json.endArray();
        });
  }
}
