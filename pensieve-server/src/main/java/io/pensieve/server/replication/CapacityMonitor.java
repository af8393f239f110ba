package io.pensieve.server.replication;

import io.pensieve.replication.consensus.Member;
import io.pensieve.server.http.replication.NodeCard;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Reports each member whose capacity is not that of this node. The node that leads evicts by its
 * own capacity: when one with a smaller one takes over, entries go at once.
 */
public final class CapacityMonitor implements AutoCloseable {
  private static final long FIRST_MILLIS = 2_000;
  private static final long PERIOD_MILLIS = 30_000;
  private static final long STOP_MILLIS_MAX = 5_000;

  // By default the bytes are a share of the heap, which is not the same to the byte.
  private static final double BYTES_RATIO_MIN = 0.9;

  /** Reads the card of another node. */
  interface Cards {
    NodeCard read(Member member) throws IOException, InterruptedException;
  }

  /** Hears of differences: once of each, and when it is over. */
  public interface Listener {
    void differs(String node, String reason);

    void isSame(String node);
  }

  private final Supplier<NodeCard> own;
  private final Supplier<List<Member>> members;
  private final Cards cards;
  private final Listener listener;
  private final Set<String> raised = new HashSet<>(); // of the one thread that checks
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "pensieve-capacities");

  /**
   * Starts nothing.
   *
   * @param own returns the card of this node
   * @param members returns the members of the cluster; none while they are not known
   */
  CapacityMonitor(
      Supplier<NodeCard> own, Supplier<List<Member>> members, Cards cards, Listener listener) {
    this.own = own;
    this.members = members;
    this.cards = cards;
    this.listener = listener;
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      boolean isKnown = false;
      while (!closed.await(isKnown ? PERIOD_MILLIS : FIRST_MILLIS, TimeUnit.MILLISECONDS)) {
        isKnown = check();
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  /** Compares all members that answer with this node. Returns whether any is known. */
  boolean check() throws InterruptedException {
    NodeCard here = own.get();
    List<Member> known = members.get();
    Set<String> gone = new HashSet<>(raised);
    for (Member member : known) {
      gone.remove(member.id());
      if (!member.id().equals(here.id())) {
        compare(here, member);
      }
    }
    gone.forEach(this::clear);
    return !known.isEmpty();
  }

  private void compare(NodeCard here, Member member) throws InterruptedException {
    NodeCard there;
    try {
      there = cards.read(member);
    } catch (IOException noAnswer) {
      return; // what was known of it stays
    }
    if (isSame(here, there)) {
      clear(member.id());
    } else if (raised.add(member.id())) {
      listener.differs(
          subject(member.id()),
          text(there)
              + ", this node "
              + text(here)
              + ": whichever leads evicts by its own. Give all nodes the same");
    }
  }

  private static boolean isSame(NodeCard here, NodeCard there) {
    long less = Math.min(here.capacityBytes(), there.capacityBytes());
    long more = Math.max(here.capacityBytes(), there.capacityBytes());
    return here.capacity() == there.capacity() && less >= BYTES_RATIO_MIN * more;
  }

  private static String text(NodeCard card) {
    return "holds at most " + card.capacity() + " entries and " + card.capacityBytes() + " bytes";
  }

  private void clear(String id) {
    if (raised.remove(id)) {
      listener.isSame(subject(id));
    }
  }

  private static String subject(String id) {
    return "node " + id;
  }

  /** Ends the thread. */
  @Override
  public void close() {
    closed.countDown();
    try {
      thread.interrupt();
      thread.join(STOP_MILLIS_MAX);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }
}
