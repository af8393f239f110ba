package io.pensieve.replication;

import static io.pensieve.replication.HistoryModel.check;

import io.pensieve.AtomicBatch;
import io.pensieve.BatchResult;
import io.pensieve.PendingRead;
import io.pensieve.PendingWrite;
import io.pensieve.Versioned;
import io.pensieve.Write;
import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import io.pensieve.replication.HistoryModel.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of three, step by step in one thread: what happens next is drawn by a seed. Clients
 * write and read on all members; leaders change at any point, some without knowing it, their tails
 * are lost or committed later; proposals are lost, late, doubled or swapped; members crash, restart
 * from snapshots, and get snapshots of others.
 *
 * <p>Checked against a {@link HistoryModel}: each read is linearizable (or, if it is a stale one,
 * of something that was committed once); each write that was acknowledged is in the history, once,
 * and found what it says that it found; no request was executed twice; at the end all maps are
 * equal.
 */
final class Simulation {
  private static final int MEMBERS = 3;
  private static final int MAP_ENTRIES = 6; // so that the leader evicts
  private static final String[] KEYS = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};

  /** A write that was not refused. */
  private record PendingOp(
      SimulatedMember member,
      int begun,
      String key,
      PendingWrite<String> write,
      @Nullable String put,
      boolean isRemoval) {}

  private record PendingGet(
      SimulatedMember member,
      int begun,
      boolean isStale,
      String key,
      long version,
      CompletableFuture<Void> durable) {}

  private record WaitingGet(SimulatedMember member, int begun, String key) {}

  private record PendingBatch(
      SimulatedMember member, int begun, BatchResult<String> result, List<String> keys) {}

  /** A snapshot whose walk is over. */
  private record Draft(SimulatedMember of, Snapshots.Draft file) {}

  private final Random random;
  private final Path folder;
  private final SimulatedLog log = new SimulatedLog();
  private final HistoryModel model = new HistoryModel();
  private final SimulatedMember[] members = new SimulatedMember[MEMBERS];
  private final List<PendingOp> writes = new ArrayList<>();
  private final List<PendingGet> reads = new ArrayList<>();
  private final List<WaitingGet> waitingReads = new ArrayList<>();
  private final List<PendingBatch> batches = new ArrayList<>();
  private final List<Draft> drafts = new ArrayList<>();
  private final Map<Long, PendingOp> acknowledged = new HashMap<>();
  private long nanos;
  private int values;
  private int files;
  int acknowledgedWrites;
  int unknownOutcomes;
  int linearizableReads;
  int leads;
  int snapshots;

  Simulation(long seed, Path folder) {
    random = new Random(seed);
    this.folder = folder;
    for (int i = 0; i < MEMBERS; i++) {
      members[i] = member(i, null);
    }
  }

  private SimulatedMember member(int id, SimulatedMember.@Nullable Saved saved) {
    return new SimulatedMember(
        id,
        log,
        folder,
        saved,
        MAP_ENTRIES,
        () -> Instant.ofEpochMilli(nanos / 1_000_000),
        () -> nanos);
  }

  void run(int steps) throws IOException {
    for (int i = 0; i < steps; i++) {
      nanos += random.nextInt(5_000_000);
      step();
      observe();
    }
    heal();
    compareAll();
  }

  private SimulatedMember any() {
    return members[random.nextInt(MEMBERS)];
  }

  private void step() throws IOException {
    int draw = random.nextInt(1000);
    SimulatedMember member = any();
    SimulatedMember leader =
        log.leader < 0 || random.nextInt(4) == 0 ? member : members[log.leader];
    if (draw < 200) {
      write(random.nextInt(4) == 0 ? member : lastLeader(member));
    } else if (draw < 260) {
      read(member);
    } else if (draw < 420) {
      leader.pack();
    } else if (draw < 570) {
      takeProposal(leader);
    } else if (draw < 720) {
      if (!log.tail.isEmpty()) {
        log.commit();
      }
    } else if (draw < 970) {
      if (member.hasMore()) {
        member.applyNext();
      }
    } else if (draw < 974) {
      elect(member);
    } else if (draw < 980) {
      tellWhoLeads(member);
    } else if (draw < 990) {
      snapshot(member);
    } else if (draw < 992) {
      install(member);
    } else if (draw < 994) {
      restart(member);
    }
  }

  // One that can write, if there is one.
  private SimulatedMember lastLeader(SimulatedMember otherwise) {
    SimulatedMember found = otherwise;
    for (SimulatedMember member : members) {
      if (member.leads() && (found == otherwise || random.nextBoolean())) {
        found = member;
      }
    }
    return found;
  }

  // ---- The cluster

  private void takeProposal(SimulatedMember member) {
    int waiting = member.proposals();
    if (waiting == 0) {
      return;
    }
    int which = random.nextInt(20) == 0 ? random.nextInt(waiting) : 0;
    if (random.nextInt(60) == 0) {
      member.failProposal(which, random.nextBoolean());
    } else {
      member.takeProposal(which, random.nextInt(4) > 0, random.nextInt(30) == 0);
    }
  }

  private void elect(SimulatedMember member) {
    int ofTail = member.id == log.leader ? log.tail.size() : random.nextInt(log.tail.size() + 1);
    log.elect(member.id, ofTail);
    leads++;
  }

  private void tellWhoLeads(SimulatedMember member) {
    boolean isDeposed = member.believedTerm > 0 && member.believedTerm < log.term;
    if (isDeposed) {
      member.follow();
    } else if (log.leader == member.id && member.believedTerm == 0) {
      member.lead(); // before it has applied all: more than the engine does
    }
  }

  private void restart(SimulatedMember member) {
    int id = member.id;
    drafts.removeIf(draft -> draft.of() == member);
    waitingReads.removeIf(read -> read.member() == member);
    writes.removeIf(write -> write.member() == member); // nobody learns their outcome
    reads.removeIf(read -> read.member() == member);
    batches.removeIf(batch -> batch.member() == member);
    if (log.leader == id) {
      log.leader = -1; // it leads at most once in a term
    }
    members[id] = member(id, member.saved);
  }

  private void snapshot(SimulatedMember member) throws IOException {
    if (random.nextBoolean()) {
      Snapshots.Draft draft = member.snapshots().write(folder.resolve("draft-" + ++files));
      if (draft != null) {
        drafts.add(new Draft(member, draft));
      }
    }
    Iterator<Draft> each = drafts.iterator();
    while (each.hasNext()) {
      Draft draft = each.next();
      boolean isDecided =
          draft.of().log.durableSequence() >= draft.file().complete()
              || draft.of().log.isVoid(draft.file().complete());
      if (isDecided) {
        each.remove();
        if (draft.of().snapshots().handToEngine(draft.file())) {
          snapshots++;
        }
      }
    }
  }

  private void install(SimulatedMember member) throws IOException {
    SimulatedMember.Saved saved = any().saved;
    if (saved != null && saved.position().index() > member.applied) {
      drafts.removeIf(draft -> draft.of() == member && random.nextBoolean());
      member.install(saved);
    }
  }

  // ---- Clients

  private void write(SimulatedMember member) {
    String key = KEYS[random.nextInt(KEYS.length)];
    int begun = log.committed.size();
    try {
      int kind = random.nextInt(10);
      if (kind == 0) {
        batch(member, begun);
        return;
      } else if (kind == 1) {
        request(member, key, begun);
        return;
      }
      String value = "v" + ++values;
      Write<String, String> write =
          switch (kind) {
            case 2, 3 -> Write.remove(key);
            case 4 -> Write.put(key, value).ifAbsent();
            case 5 -> Write.put(key, value).ifVersion(versionOf(member, key));
            default -> Write.put(key, value);
          };
      boolean isRemoval = kind == 2 || kind == 3;
      PendingWrite<String> pending = member.map.writeAsync(write);
      writes.add(new PendingOp(member, begun, key, pending, isRemoval ? null : value, isRemoval));
    } catch (LogException.ReadOnly | LogException.OutcomeUnknown refused) {
      // Nothing was changed, or nobody knows.
    }
  }

  private long versionOf(SimulatedMember member, String key) {
    PendingRead<String> read = member.map.getAsync(key);
    Versioned<String> entry = read.entry();
    return entry == null ? 1 : entry.version();
  }

  private void batch(SimulatedMember member, int begun) {
    String first = KEYS[random.nextInt(KEYS.length)];
    String second = KEYS[random.nextInt(KEYS.length)];
    if (first.equals(second)) {
      return;
    }
    AtomicBatch<String, String> batch =
        new AtomicBatch<String, String>().put(first, "b" + ++values).put(second, "b" + values);
    batches.add(
        new PendingBatch(member, begun, member.map.writeAsync(batch), List.of(first, second)));
  }

  // A new request, or one that was made before: then it is known, or was never executed.
  private void request(SimulatedMember member, String key, int begun) {
    String id = "request " + random.nextInt(1 + values / 4);
    String value = "of " + id;
    Optional<PendingWrite<String>> pending =
        member.log.execute(id, () -> member.map.writeAsync(Write.put(key, value)));
    if (pending.isPresent()) {
      writes.add(new PendingOp(member, begun, key, pending.get(), value, false));
    } else {
      RequestOutcome<String> outcome = member.log.outcome(id).orElseThrow();
      check(outcome.changes().size() == 1, "one change");
      check(Objects.equals(outcome.changes().get(0).value(), value), "its value");
    }
  }

  private void read(SimulatedMember member) {
    String key = KEYS[random.nextInt(KEYS.length)];
    if (random.nextInt(4) == 0) {
      if (member.log.isReadable()) {
        get(member, key, log.committed.size(), true);
      }
    } else {
      waitingReads.add(new WaitingGet(member, log.committed.size(), key));
    }
  }

  private void get(SimulatedMember member, String key, int begun, boolean isStale) {
    try {
      PendingRead<String> read = member.map.getAsync(key);
      Versioned<String> entry = read.entry();
      long version = entry == null ? 0 : entry.version();
      reads.add(new PendingGet(member, begun, isStale, key, version, read.durable()));
    } catch (LogException.OutcomeUnknown lost) {
      // The reader may try again.
    }
  }

  // ---- What clients see

  private void observe() {
    model.readOn(log);
    for (SimulatedMember member : members) {
      member.passBarriers();
    }
    Iterator<WaitingGet> waiting = waitingReads.iterator();
    while (waiting.hasNext()) {
      WaitingGet read = waiting.next();
      if (read.member().applied >= read.begun()) { // the barrier
        waiting.remove();
        get(read.member(), read.key(), read.begun(), false);
      }
    }
    reads.removeIf(read -> read.durable().isDone() && hasSeen(read));
    writes.removeIf(write -> write.write().durable().isDone() && hasWritten(write));
    batches.removeIf(batch -> batch.result().durable().isDone() && hasWritten(batch));
  }

  private boolean hasSeen(PendingGet read) {
    if (!isAcknowledged(read.durable())) {
      return true;
    }
    int from = read.isStale() ? 0 : read.begun();
    check(
        model.had(read.key(), read.version(), from, log.committed.size()),
        "a read of " + read.key() + " found version " + read.version() + ": " + read);
    linearizableReads += read.isStale() ? 0 : 1;
    return true;
  }

  private boolean isAcknowledged(CompletableFuture<Void> durable) {
    try {
      durable.join();
      return true;
    } catch (CompletionException failed) {
      check(failed.getCause() instanceof LogException.OutcomeUnknown, "failed by " + failed);
      unknownOutcomes++;
      return false;
    }
  }

  private boolean hasWritten(PendingOp op) {
    if (!isAcknowledged(op.write().durable())) {
      return true;
    }
    PendingWrite<String> write = op.write();
    if (!write.applied()) {
      check(
          model.had(op.key(), write.version(), op.begun(), log.committed.size()),
          "a write that was not applied found version "
              + write.version()
              + ": "
              + op
              + model.describe(op.key(), op.begun(), log.committed.size()));
      return true;
    }
    acknowledgedWrites++;
    if (!op.isRemoval()) {
      acknowledged.put(write.version(), op);
      checkPut(op.key(), write.version(), Objects.requireNonNull(op.put()), op.begun());
      State before = Objects.requireNonNull(model.byVersion.get(write.version())).before();
      check(
          Objects.equals(write.previous(), before == null ? null : before.value()),
          "a write found " + write.previous() + " and should have found " + before);
    }
    return true;
  }

  private void checkPut(String key, long version, String value, int begun) {
    HistoryModel.Event event =
        Objects.requireNonNull(
            model.byVersion.get(version), () -> "a write is lost: " + key + " " + version);
    check(
        event.change().equals(new Change.Put<>(key, value)),
        "another change: "
            + event
            + ", not "
            + key
            + "="
            + value
            + " "
            + version
            + " begun "
            + begun);
    check(event.index() > begun, "committed before it was begun: " + event);
  }

  private boolean hasWritten(PendingBatch batch) {
    if (isAcknowledged(batch.result().durable())) {
      List<Integer> indices = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Versioned<String> entry = Objects.requireNonNull(batch.result().results().get(i).entry());
        checkPut(batch.keys().get(i), entry.version(), entry.value(), batch.begun());
        indices.add(Objects.requireNonNull(model.byVersion.get(entry.version())).index());
      }
      check(indices.get(0).equals(indices.get(1)), "a batch in two entries");
    }
    return true;
  }

  // ---- The end

  /** One leader, of which all know, until all have applied everything. */
  private void heal() {
    elect(members[0]);
    for (int i = 0; i < 100_000; i++) {
      nanos += 1_000_000;
      boolean isQuiet = true;
      for (SimulatedMember member : members) {
        if (member.believedTerm > 0 && member.id != log.leader) {
          member.follow();
        }
        member.pack();
        while (member.proposals() > 0) {
          member.takeProposal(0, true, false);
        }
        while (!log.tail.isEmpty()) {
          log.commit();
        }
        while (member.hasMore()) {
          member.applyNext();
          isQuiet = false;
        }
      }
      observe();
      if (isQuiet && members[0].log.isLeading() && nothingPends()) {
        return;
      }
    }
    throw new AssertionError("the cluster does not come to rest: " + writes + reads + batches);
  }

  private boolean nothingPends() {
    return writes.isEmpty() && reads.isEmpty() && batches.isEmpty() && waitingReads.isEmpty();
  }

  private void compareAll() throws IOException {
    for (SimulatedMember member : members) {
      check(member.log.isReadable(), "member " + member.id + " is not complete");
      check(entries(member).equals(model.map()), difference(member));
      check(
          member
              .log
              .progress()
              .applied()
              .chain()
              .equals(members[0].log.progress().applied().chain()),
          "the ends of the chains differ: " + member.log.progress().applied());
    }
    model.executions.forEach((id, times) -> check(times == 1, id + " was executed " + times));
    acknowledged.forEach(
        (version, op) -> check(model.byVersion.containsKey(version), "lost: " + op));
    try (var left = Files.list(folder)) {
      left.forEach(file -> check(file.toFile().delete(), "not deleted: " + file));
    }
  }

  private String difference(SimulatedMember member) {
    return "member " + member.id + " has " + entries(member) + ", the history " + model.map();
  }

  private static Map<String, State> entries(SimulatedMember member) {
    Map<String, State> entries = new HashMap<>();
    for (String key : KEYS) {
      Versioned<String> entry = member.map.getVersioned(key);
      if (entry != null) {
        entries.put(key, new State(entry.value(), entry.version()));
      }
    }
    return entries;
  }
}
