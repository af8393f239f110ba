package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests wait until their node is known to show everything that was acknowledged before. */
final class GateBarrierTest {
  private final FakeReplication ofLeader = new FakeReplication();
  private final FakeReplication ofFollower = new FakeReplication();
  private ServerUnderTest leader;
  private ServerUnderTest follower;

  @BeforeEach
  void start() throws Exception {
    ofLeader.leading = true;
    leader = LeaderGateTest.node(1, ofLeader, ServerUnderTest.settings(), ServerUnderTest.PATIENCE);
    follower =
        LeaderGateTest.node(2, ofFollower, ServerUnderTest.settings(), ServerUnderTest.PATIENCE);
    ofFollower.leaderUrl = Optional.of(LeaderGateTest.url(leader));
  }

  @AfterEach
  void stop() throws Exception {
    follower.close();
    leader.close();
  }

  @Test
  void readsWaitForTheBarrier() throws Exception {
    follower.map.put("k", "v");
    CompletableFuture<Void> barrier = new CompletableFuture<>();
    ofFollower.barrier = barrier;
    try (RawClient seed = follower.connect();
        RawClient kv = follower.connect();
        RawClient count = follower.connect()) {
      seed.send("GET /get/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
      kv.send("HEAD /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
      count.send("GET /v1/count HTTP/1.1\r\nHost: localhost\r\n\r\n");
      Await.until("all wait", () -> ofFollower.barriers.get() == 3);
      follower.map.put("k", "newer");
      barrier.complete(null);
      assertEquals("{\"val\":\"newer\"}", seed.receive().body());
      assertEquals(200, kv.receiveWithoutBody().status());
      assertEquals("{\"count\":1}", count.receive().body());
    }
  }

  @Test
  void writesWaitForTheBarrierSinceTheyMayAnswerWhatTheyHaveRead() throws Exception {
    leader.map.put("k", "old");
    CompletableFuture<Void> barrier = new CompletableFuture<>();
    ofLeader.barrier = barrier;
    try (RawClient batch = leader.connect();
        RawClient delete = leader.connect();
        RawClient put = leader.connect()) {
      String reads = "{\"atomic\":true,\"ops\":[{\"op\":\"get\",\"key\":\"k\"}]}";
      batch.send(
          "POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Content-Length: "
              + reads.length()
              + "\r\n\r\n"
              + reads);
      delete.send("DELETE /v1/kv/none HTTP/1.1\r\nHost: localhost\r\n\r\n");
      put.send(
          "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\n"
              + "Content-Length: 1\r\n\r\nv");
      Await.until("all wait", () -> ofLeader.barriers.get() == 3);
      leader.map.put("k", "newer");
      barrier.complete(null);
      String read = batch.receive().body();
      assertTrue(read.contains("newer"), read);
      assertEquals(204, delete.receiveWithoutBody().status());
      assertEquals(412, put.receive().status());
    }
  }

  @Test
  void aWriteWhoseLeaderIsOustedMeanwhileIsForwarded() throws Exception {
    CompletableFuture<Void> barrier = new CompletableFuture<>();
    ofFollower.leading = true;
    ofFollower.barrier = barrier;
    try (RawClient put = follower.connect()) {
      put.send("PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nv");
      Await.until("it waits", () -> ofFollower.barriers.get() == 1);
      ofFollower.leading = false;
      barrier.completeExceptionally(new IOException("another node leads"));
      assertEquals(201, put.receive().status());
    }
    assertNull(follower.map.get("k"));
    assertNotNull(leader.map.get("k"));
  }
}
