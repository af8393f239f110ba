package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Log;
import io.pensieve.server.http.changes.ChangeEvent;
import io.pensieve.server.http.changes.ChangeHub;
import io.pensieve.server.http.value.StoredValue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The hub outlives whatever is thrown at it, and nobody waits for what it makes. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // sockets heed no interrupt
final class ChangeHubTest {
  private final BrokenLog log = new BrokenLog();

  @Test
  void anErrorEndsTheWatchesAndNotTheHub() throws Exception {
    try (ServerUnderTest server =
            new ServerUnderTest(log, ServerUnderTest.settings(), Cluster.alone(1));
        EventClient watcher = EventClient.watch(server, "")) {
      Await.until("it has caught up", () -> server.http.routeTable().watchersCaughtUp() == 1);
      log.errors.set(1);
      server.map.put("k", "unseen");
      assertEquals("log_failed", watcher.next().name());
      assertTrue(watcher.ends());
      awaitWatches(server);
    }
  }

  // The hub refuses those who come within a second, and tells them so.
  private static void awaitWatches(ServerUnderTest server) throws Exception {
    RouteTable routeTable = server.http.routeTable();
    for (boolean watched = false; !watched; ) {
      try (EventClient again = EventClient.watch(server, "")) {
        Await.until(
            "told or refused",
            () -> routeTable.watchersCaughtUp() == 1 || routeTable.watchers() == 0);
        if (routeTable.watchersCaughtUp() == 1) {
          server.map.put("k", "seen");
          assertEquals("seen", again.next().json().get("value").getAsString());
          watched = true;
        }
      }
    }
  }

  @Test
  void nobodyWaitsWhileAnEventIsMade() throws Exception {
    CountDownLatch making = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    try (Pensieve<String, StoredValue> map =
            Pensieve.<String, StoredValue>builder().log(Log.inMemory(10)).open();
        ChangeHub hub = new ChangeHub(map)) {
      RecordingSubscriber slow =
          new RecordingSubscriber() {
            @Override
            public void changed(ChangeEvent change) {
              making.countDown();
              awaitUninterruptibly(mayGoOn);
              super.changed(change);
            }
          };
      Await.until("it reads", () -> hub.subscribe(slow, Long.MAX_VALUE));
      map.put("k", StoredValue.text("v"));
      making.await();
      hub.addListener("other", () -> {});
      hub.unsubscribe(new RecordingSubscriber());
      assertEquals(1, hub.subscribers());
      mayGoOn.countDown();
      assertEquals("k", slow.told.poll(2, TimeUnit.MINUTES));
    }
  }

  @Test
  void whoJoinsWhileChangesAreToldMustKnowThem() throws Exception {
    CountDownLatch telling = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    try (Pensieve<String, StoredValue> map =
            Pensieve.<String, StoredValue>builder().log(Log.inMemory(10)).open();
        ChangeHub hub = new ChangeHub(map)) {
      long before = map.putAsync("k", StoredValue.text("v")).version();
      RecordingSubscriber first =
          new RecordingSubscriber() {
            @Override
            public void changed(ChangeEvent change) {
              telling.countDown();
              awaitUninterruptibly(mayGoOn);
            }
          };
      Await.until("it reads", () -> hub.subscribe(first, Long.MAX_VALUE));
      long after = map.putAsync("k", StoredValue.text("w")).version();
      telling.await();
      assertTrue(!hub.subscribe(new RecordingSubscriber(), before), "he would miss a change");
      assertTrue(hub.subscribe(new RecordingSubscriber(), after));
      mayGoOn.countDown();
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private static class RecordingSubscriber implements ChangeHub.Subscriber {
    final BlockingQueue<String> told = new LinkedBlockingQueue<>();

    @Override
    public void changed(ChangeEvent change) {
      told.add(change.key());
    }

    @Override
    public void passed(long sequence) {}

    @Override
    public void lost(RuntimeException why) {}

    @Override
    public void abandoned() {}
  }
}
