package io.pensieve.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.Member;
import io.pensieve.server.http.replication.NodeCard;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** When a node warns that another one would evict more, or less. */
final class CapacityMonitorTest {
  private static final long BYTES = 1_000_000;

  private final Map<String, NodeCard> answers = new HashMap<>();
  private final List<Member> members = new ArrayList<>();
  private final Map<String, String> differing = new TreeMap<>();
  private int reports;
  private final CapacityMonitor monitor =
      new CapacityMonitor(() -> card("1", 1_000, BYTES), () -> members, this::read, new Listener());

  private static Member member(String id) {
    return new Member(id, "h" + id, 1, URI.create("http://h" + id + ":2"));
  }

  private static NodeCard card(String id, long entries, long bytes) {
    UUID any = new UUID(1, 2);
    URI url = member(id).url();
    return new NodeCard(id, any, url, "h", 1, Optional.of(any), Map.of(), Set.of(), entries, bytes);
  }

  private NodeCard read(Member member) throws IOException {
    NodeCard answer = answers.get(member.id());
    if (answer == null) {
      throw new IOException("silent");
    }
    return answer;
  }

  private void answers(String id, long entries, long bytes) {
    answers.put(id, card(id, entries, bytes));
  }

  private void haveMembers() {
    List.of("1", "2", "3").forEach(id -> members.add(member(id)));
    answers("2", 1_000, BYTES);
    answers("3", 1_000, BYTES);
  }

  private final class Listener implements CapacityMonitor.Listener {
    @Override
    public void differs(String node, String reason) {
      differing.put(node, reason);
      reports++;
    }

    @Override
    public void isSame(String node) {
      differing.remove(node);
    }
  }

  private Set<String> subjects() {
    return differing.keySet();
  }

  @Test
  void nodesOfOneCapacityAreNotReported() throws Exception {
    assertFalse(monitor.check(), "the members are not known yet");
    haveMembers();
    answers("2", 1_000, BYTES * 95 / 100); // its heap is a little smaller
    assertTrue(monitor.check());
    assertEquals(0, reports);
  }

  @Test
  void aMemberWithAnotherCapacityIsReportedOnceUntilItHasTheSame() throws Exception {
    haveMembers();
    answers("2", 999, BYTES);
    answers("3", 1_000, BYTES * 2);
    monitor.check();
    monitor.check();
    assertEquals(Set.of("node 2", "node 3"), subjects());
    assertEquals(2, reports);
    assertEquals(
        "holds at most 999 entries and 1000000 bytes, this node holds at most 1000 entries and"
            + " 1000000 bytes: whichever leads evicts by its own. Give all nodes the same",
        differing.get("node 2"));
    answers("2", 1_000, BYTES);
    monitor.check();
    assertEquals(Set.of("node 3"), subjects());
  }

  @Test
  void aSilentMemberStaysWhatItWasAndARemovedOneIsForgotten() throws Exception {
    haveMembers();
    answers("2", 1, BYTES);
    monitor.check();
    answers.clear();
    monitor.check();
    assertEquals(Set.of("node 2"), subjects());
    members.remove(member("2"));
    monitor.check();
    assertEquals(Set.of(), subjects());
  }
}
