package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.LogException;
import io.pensieve.replication.format.EntryHeader;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether this node leads, and the updates it has taken as a leader and that are not committed.
 *
 * <p>Three kinds of threads meet here, under this monitor, for a few steps each: writers add
 * updates, the packer takes them, and the engine's thread removes what is committed or lost. Nobody
 * waits for the network or for a key's lock while holding it.
 *
 * <p>A node leads from the moment its begin is applied here, which is the first entry it proposes
 * when the engine has elected it. So it has applied everything before that, and an entry of an
 * earlier lead cannot follow, also not one of its own in this term: see {@link ChainEnd}. If a
 * proposal fails, whatever was proposed after it cannot count. The node then takes no more updates,
 * and begins anew.
 */
final class Leadership<K, V> {
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long ANNOUNCE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private enum State {
    /** Another node leads, or none. */
    FOLLOWING,
    /** The engine has elected this node; its begin is not applied yet. Takes no updates. */
    ELECTED,
    /** The begin is applied. Takes updates. */
    LEADING,
    /** The log is closed, or has failed. */
    ENDED
  }

  /** The updates that a leader has lost, the first one first. */
  record Lost<K, V>(long after, long last, List<UncommittedUpdate<K, V>> updates) {}

  private final RaftSettings settings;
  private final RequestOutcomes<V> requests;
  private volatile boolean isLeading; // as `state`, for readers without the monitor

  @GuardedBy("this")
  private State state = State.FOLLOWING;

  @GuardedBy("this")
  private @Nullable Supplier<? extends RuntimeException> refusal; // not null once ended

  @GuardedBy("this")
  private long term; // the one in which the engine has elected this node

  // Of the last proposed begin. Not that of an earlier process, should it have led in this term.
  @GuardedBy("this")
  private long nonce = ThreadLocalRandom.current().nextLong();

  @GuardedBy("this")
  private boolean isBeginUnderWay;

  @GuardedBy("this")
  private long retryAt;

  // The uncommitted updates, the first one first: those under way, then those waiting. Their
  // numbers have no gap, from the last change that counts in this lead up to `last`. Empty unless
  // this node leads, or was elected and had led before in this term.
  @GuardedBy("this")
  private final Deque<ProposedEntry<K, V>> underWay = new ArrayDeque<>();

  @GuardedBy("this")
  private final Deque<UncommittedUpdate<K, V>> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private long last; // the last number given

  @GuardedBy("this")
  private long lastProposed; // the last number in `underWay`, or before it

  @GuardedBy("this")
  private int changes; // in both, like `bytes`

  @GuardedBy("this")
  private long bytes;

  @GuardedBy("this")
  private int changesUnderWay; // in `underWay` alone, like `bytesUnderWay`

  @GuardedBy("this")
  private long bytesUnderWay;

  // The other members learn of a commit with the next entry. If no change comes soon, an entry
  // without one tells them: else they would wait for a heartbeat, which takes up to half a second.
  @GuardedBy("this")
  private boolean isCommitUnannounced;

  @GuardedBy("this")
  private long announceAt;

  @GuardedBy("this")
  private boolean isPackerIdle;

  Leadership(RaftSettings settings, RequestOutcomes<V> requests) {
    this.settings = settings;
    this.requests = requests;
  }

  boolean isLeading() {
    return isLeading;
  }

  // ---- Writers

  /**
   * Takes an update.
   *
   * @return the sequence number of its first change
   */
  synchronized long add(UncommittedUpdate<K, V> update) {
    checkLeading();
    checkRoom(update);
    long first = last + 1;
    enqueue(update, first);
    last += update.count();
    changes += update.count();
    bytes += update.bytes();
    if (isPackerIdle && isDue()) {
      notifyAll();
    }
    return first;
  }

  // If this throws, the log does not have the update, and the map must not have it either.
  @GuardedBy("this")
  private void enqueue(UncommittedUpdate<K, V> update, long first) {
    waiting.add(update);
    boolean remembered = false;
    try {
      requests.begin(update, first);
      remembered = true;
    } finally {
      if (!remembered) {
        waiting.removeLast();
      }
    }
  }

  @GuardedBy("this")
  private void checkLeading() {
    Supplier<? extends RuntimeException> why = refusal;
    if (why != null) {
      throw why.get();
    } else if (state != State.LEADING) {
      throw new LogException.ReadOnly("this node does not lead its cluster");
    }
  }

  // Removals get twice the room: the map may need them to keep its bounds.
  @GuardedBy("this")
  private void checkRoom(UncommittedUpdate<K, V> update) {
    int factor = update.hasPut() ? 1 : 2;
    boolean isFull =
        changes + update.count() > factor * settings.waitingChanges()
            || bytes + update.bytes() > factor * settings.waitingBytes();
    if (isFull && changes > 0) {
      throw new LogException.Overloaded(
          changes + " changes of " + bytes + " bytes wait to be acknowledged already");
    }
  }

  // ---- The packer

  /** Waits for an entry to propose. Null if the log is closed. */
  synchronized @Nullable ProposedEntry<K, V> awaitProposal() throws InterruptedException {
    while (state != State.ENDED) {
      ProposedEntry<K, V> next = nextProposal();
      if (next != null) {
        return next;
      }
      isPackerIdle = true;
      try {
        TimeUnit.NANOSECONDS.timedWait(this, idleNanos());
      } finally {
        isPackerIdle = false;
      }
    }
    return null;
  }

  @GuardedBy("this")
  private long idleNanos() {
    if (state == State.ELECTED && !isBeginUnderWay) {
      return Math.max(1, retryAt - settings.nanoTime().getAsLong());
    } else if (mustAnnounce()) {
      return Math.max(1, announceAt - settings.nanoTime().getAsLong());
    }
    return TimeUnit.DAYS.toNanos(1);
  }

  @GuardedBy("this")
  private boolean mustAnnounce() {
    return state == State.LEADING && isCommitUnannounced && underWay.isEmpty();
  }

  /** As {@link #awaitProposal}, without waiting: null also if there is nothing to propose. */
  synchronized @Nullable ProposedEntry<K, V> nextProposal() {
    long now = settings.nanoTime().getAsLong();
    if (state == State.ELECTED && !isBeginUnderWay && retryAt - now <= 0) {
      isBeginUnderWay = true;
      nonce++;
      return ProposedEntry.begin(term, nonce, now);
    }
    boolean isAnnouncementDue = mustAnnounce() && announceAt - now <= 0;
    return state == State.LEADING && (isDue() || isAnnouncementDue) ? pack(now) : null;
  }

  /**
   * Whether what waits should go. An entry costs all members milliseconds, whatever it contains. So
   * one goes if it is full, or if it has as many changes as all those under way together: a lone
   * write at once, and under load few entries with much in them.
   */
  @GuardedBy("this")
  private boolean isDue() {
    int waitingChanges = changes - changesUnderWay;
    return waitingChanges > 0
        && underWay.size() < settings.entriesUnderWay()
        && (waitingChanges >= Math.min(changesUnderWay, settings.changesPerEntry())
            || bytes - bytesUnderWay >= settings.bytesPerEntry());
  }

  @GuardedBy("this")
  private ProposedEntry<K, V> pack(long now) {
    List<UncommittedUpdate<K, V>> packed = new ArrayList<>();
    int packedChanges = 0;
    long packedBytes = 0;
    while (!waiting.isEmpty()) {
      UncommittedUpdate<K, V> next = waiting.element();
      boolean fits =
          packedChanges + next.count() <= settings.changesPerEntry()
              && packedBytes + next.bytes() <= settings.bytesPerEntry();
      if (!fits && !packed.isEmpty()) {
        break;
      }
      packed.add(waiting.remove());
      packedChanges += next.count();
      packedBytes += next.bytes();
    }
    changesUnderWay += packedChanges;
    bytesUnderWay += packedBytes;
    EntryHeader header = new EntryHeader(false, term, 0, lastProposed, packedChanges);
    ProposedEntry<K, V> entry = new ProposedEntry<>(header, packed, new ArrayList<>(), now);
    underWay.add(entry);
    lastProposed = header.last();
    isCommitUnannounced = false;
    return entry;
  }

  /** An entry was refused, or its outcome is unknown. */
  synchronized void proposalFailed(ProposedEntry<K, V> entry) {
    boolean isCurrentBegin = entry.header().isBegin() && entry.header().nonce() == nonce;
    if (isCurrentBegin && state == State.ELECTED) {
      awaitRetry();
    } else if (state == State.LEADING && underWay.contains(entry)) {
      setState(State.ELECTED);
      awaitRetry();
    }
  }

  /**
   * An entry has come that does not count. If it is one of those under way, an entry before it was
   * lost, and those after it cannot count either.
   */
  synchronized void skipped(EntryHeader header) {
    boolean isOwn = underWay.stream().anyMatch(entry -> entry.header().equals(header));
    if (isOwn && state == State.LEADING) {
      setState(State.ELECTED);
      awaitRetry();
    }
  }

  @GuardedBy("this")
  private void awaitRetry() {
    isBeginUnderWay = false;
    retryAt = settings.nanoTime().getAsLong() + RETRY_NANOS;
    notifyAll();
  }

  // ---- The engine

  /** The engine has elected this node. The caller has taken the lost updates of an earlier lead. */
  synchronized void elected(long newTerm) {
    if (state != State.ENDED) {
      term = newTerm;
      setState(State.ELECTED);
      beginSoon();
    }
  }

  @GuardedBy("this")
  private void beginSoon() {
    isBeginUnderWay = false;
    retryAt = settings.nanoTime().getAsLong();
    notifyAll();
  }

  /** Whether this begin is the one that makes this node lead. */
  synchronized boolean isAwaited(EntryHeader begin) {
    return state == State.ELECTED && begin.term() == term && begin.nonce() == nonce;
  }

  /** The node leads: its begin was applied. False if the log was closed meanwhile. */
  synchronized boolean lead(long begin) {
    if (state != State.ELECTED) {
      return false;
    }
    last = begin;
    lastProposed = begin;
    setState(State.LEADING);
    announceSoon();
    notifyAll();
    return true;
  }

  /**
   * The entry counts. Returns it with its updates if it is the first one under way here, and null
   * if another lead has made it.
   */
  synchronized @Nullable ProposedEntry<K, V> committed(EntryHeader header) {
    ProposedEntry<K, V> first = underWay.peek();
    if (first == null || !first.header().equals(header)) {
      return null;
    }
    underWay.remove();
    if (header.count() > 0) {
      announceSoon();
    }
    for (UncommittedUpdate<K, V> update : first.updates()) {
      changes -= update.count();
      bytes -= update.bytes();
      changesUnderWay -= update.count();
      bytesUnderWay -= update.bytes();
    }
    notifyAll();
    return first;
  }

  /** Proposes an entry soon, also if there is no change. */
  synchronized void moveOn() {
    announceSoon();
    notifyAll();
  }

  @GuardedBy("this")
  private void announceSoon() {
    isCommitUnannounced = true;
    announceAt = settings.nanoTime().getAsLong() + ANNOUNCE_NANOS;
  }

  /**
   * Takes no more updates, and gives up all that are not committed. If the engine still has this
   * node elected, it begins anew.
   */
  synchronized Lost<K, V> lose(boolean isElected) {
    if (state != State.ENDED) {
      boolean mustBegin = isElected && state == State.LEADING;
      setState(isElected && state != State.FOLLOWING ? State.ELECTED : State.FOLLOWING);
      if (mustBegin) {
        beginSoon();
      }
    }
    List<UncommittedUpdate<K, V>> updates = new ArrayList<>();
    underWay.forEach(entry -> updates.addAll(entry.updates()));
    updates.addAll(waiting);
    long after = last - changes;
    underWay.clear();
    waiting.clear();
    changes = 0;
    bytes = 0;
    changesUnderWay = 0;
    bytesUnderWay = 0;
    notifyAll();
    return new Lost<>(after, last, Collections.unmodifiableList(updates));
  }

  // ---- Closing

  /** Waits until nothing is uncommitted, or until this node does not lead. */
  synchronized void awaitCommitted(long nanos) {
    long deadline = System.nanoTime() + nanos;
    boolean interrupted = false;
    while (state == State.LEADING && changes > 0) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        break;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException goOnWaiting) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The log is closed, or has failed: takes no more updates for good. */
  synchronized void end(Supplier<? extends RuntimeException> why) {
    if (refusal == null) {
      refusal = why;
    }
    setState(State.ENDED);
    notifyAll();
  }

  @GuardedBy("this")
  private void setState(State next) {
    state = next;
    isLeading = next == State.LEADING;
  }

  // ---- Numbers

  /** The last number that was given; in an earlier lead if this node does not lead. */
  synchronized long lastGiven() {
    return last;
  }

  synchronized int waitingChanges() {
    return changes;
  }

  synchronized long waitingBytes() {
    return bytes;
  }
}
