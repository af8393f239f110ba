package io.pensieve.replication;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The log of a simulated cluster, as Raft would have it: what is committed, and the tail of the
 * leader. A new leader has the committed entries and the begin of its predecessor's tail.
 */
final class SimulatedLog {
  /** An entry. */
  static final class Entry {
    private final long term;
    private final byte @Nullable [] content;
    private final CompletableFuture<Void> outcome;

    Entry(long term, byte @Nullable [] content, CompletableFuture<Void> outcome) {
      this.term = term;
      this.content = content;
      this.outcome = outcome;
    }

    long term() {
      return term;
    }

    /** Null for the first entry of a term, which is the engine's own. */
    byte @Nullable [] content() {
      return content;
    }

    CompletableFuture<Void> outcome() {
      return outcome;
    }
  }

  final List<Entry> committed = new ArrayList<>(); // index 1 is the first
  final List<Entry> tail = new ArrayList<>();
  long term;
  int leader = -1;

  /** This node is elected. What it has of the tail of its predecessor stays. */
  void elect(int node, int ofTail) {
    term++;
    leader = node;
    tail.subList(ofTail, tail.size()).clear();
    tail.add(new Entry(term, null, new CompletableFuture<>()));
  }

  void append(byte[] content, CompletableFuture<Void> outcome) {
    tail.add(new Entry(term, content, outcome));
  }

  /** A majority has the first entry of the tail. Raft commits old terms' with one of its own. */
  void commit() {
    committed.add(tail.remove(0));
  }
}
