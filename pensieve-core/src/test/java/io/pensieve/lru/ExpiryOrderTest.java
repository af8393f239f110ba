package io.pensieve.lru;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Which timers are waited for. */
class ExpiryOrderTest {
  private final AtomicInteger alarms = new AtomicInteger();
  private final ExpiryOrder<String, String> order =
      new ExpiryOrder<>(() -> Instant.ofEpochMilli(1_000), alarms::incrementAndGet, this::nodes);
  private final Node<String, String> node = new Node<>("a");
  private long versions;

  @Test
  void theAlarmIsRungByWhatExpiresSoonerAlone() {
    write(Node.NEVER);
    assertEquals(0, alarms.get());
    write(2_000);
    write(3_000);
    assertEquals(1, alarms.get());
    write(1_500);
    assertEquals(2, alarms.get());
  }

  @Test
  void anExpiryThatIsPutOffComesUpOnceMoreAndGrowsNothing() {
    write(2_000);
    Timer<String, String> timer = requireNonNull(node.timer());
    for (int i = 1; i <= 1_000; i++) {
      write(2_000 + i);
    }
    assertSame(timer, node.timer());
    assertSame(timer, order.poll(2_000));
    assertTrue(order.isEmpty(), "there is no second one");
    order.armAgain(node);
    assertNull(order.poll(2_999));
    assertSame(timer, order.poll(3_000));
  }

  @Test
  void anExpiryThatIsBroughtForwardComesUpThen() {
    write(2_000);
    write(1_500);
    assertNull(order.poll(1_499));
    assertSame(node.timer(), order.poll(1_500));
    assertTrue(order.isEmpty());
  }

  @Test
  void whoDiesIsWaitedForNoLonger() {
    write(2_000);
    order.disarm(node);
    assertTrue(order.isEmpty());
    order.putBack(requireNonNull(node.timer()));
    assertTrue(order.isEmpty(), "also if it is put back late");
  }

  @Test
  void whatWasPassedOverComesUpAgain() {
    write(2_000);
    Timer<String, String> timer = requireNonNull(order.poll(2_000));
    write(5_000);
    order.putBack(timer);
    assertSame(timer, order.poll(2_000), "and is then looked at");
  }

  @Test
  void whatIsRebuiltWhileAnEntryIsPersistentMissesNoLaterExpiry() {
    write(2_000);
    write(Node.NEVER);
    order.damaged = true;
    assertNull(order.poll(1_000), "rebuilds");
    write(3_000);
    comesUpBy(3_000);
  }

  @Test
  void whatIsRebuiltWhileAnEntryHasNoValueMissesNoExpiry() {
    write(2_000);
    node.set(null, Node.NEVER, ++versions);
    order.damaged = true;
    assertNull(order.poll(1_000), "rebuilds");
    write(3_000);
    comesUpBy(3_000);
  }

  @Test
  void whatIsRebuiltForgetsTheDead() {
    write(2_000);
    node.die();
    order.damaged = true;
    assertNull(order.poll(5_000));
    assertTrue(order.isEmpty());
  }

  @Test
  void whatIsRebuiltAgainAndAgainIsInItOnce() {
    write(2_000);
    write(Node.NEVER);
    for (int i = 0; i < 100; i++) {
      order.damaged = true;
      assertNull(order.poll(1_000));
      assertFalse(order.isEmpty());
    }
    order.disarm(node);
    assertTrue(order.isEmpty());
    order.damaged = true;
    assertNull(order.poll(1_000));
    assertTrue(order.isEmpty(), "a stopped timer stays out");
    write(3_000);
    comesUpBy(3_000);
    assertTrue(order.isEmpty());
  }

  private Iterator<Node<String, String>> nodes() {
    return List.of(node).iterator();
  }

  // Perhaps first when it was due before: then it is armed anew.
  private void comesUpBy(long millis) {
    Timer<String, String> early = order.poll(millis - 1);
    if (early != null) {
      assertSame(node.timer(), early);
      order.armAgain(node);
    }
    assertSame(node.timer(), order.poll(millis));
  }

  @Test
  void aLifeBeyondCountingIsForEver() {
    assertEquals(Node.NEVER, expiryOfLife(Node.NEVER));
    assertEquals(Node.NEVER, expiryOfLife(Node.NEVER - 999));
    assertEquals(Node.NEVER, expiryOfLife(Node.NEVER - 1_000));
    assertEquals(Node.NEVER - 1, expiryOfLife(Node.NEVER - 1_001));
    assertEquals(1_001, expiryOfLife(1));
  }

  private long expiryOfLife(long ttlMillis) {
    return order.expiryMillis(UpdateDecision.write("value", 0, ttlMillis), node, null);
  }

  private void write(long expiryMillis) {
    node.set("value", expiryMillis, ++versions);
    order.arm(node);
  }
}
