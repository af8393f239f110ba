package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.replication.format.EntryDecoder;
import io.pensieve.replication.format.EntryEncoder;
import io.pensieve.replication.format.EntryHeader;
import io.pensieve.replication.format.Request;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** After a failover the next leader hits about as often as a map that was never interrupted. */
class RecencyTest {
  private static final int ENTRIES = 1_000;
  private static final int KEYS = 20_000;
  private static final String VALUE = "v".repeat(256);

  private final SimulatedLog log = new SimulatedLog();
  private final double[] cumulated = new double[KEYS];
  private long nanos;

  private SimulatedMember member(int id, Path folder) {
    return new SimulatedMember(id, log, folder, null, ENTRIES, InstantSource.system(), () -> nanos);
  }

  private void zipf() {
    double sum = 0;
    for (int i = 0; i < KEYS; i++) {
      sum += 1 / Math.pow(i + 1, 0.99);
      cumulated[i] = sum;
    }
  }

  private String draw(Random random) {
    int found = Arrays.binarySearch(cumulated, random.nextDouble() * cumulated[KEYS - 1]);
    return "session-key-" + (100_000 + (found < 0 ? -found - 1 : found));
  }

  private void lead(SimulatedMember leader, SimulatedMember other) {
    if (other.believedTerm > 0) {
      other.follow();
    }
    log.elect(leader.id, log.tail.size());
    while (!leader.log.isLeading()) {
      nanos += 1_000_000_000;
      work(leader, other);
    }
  }

  private void work(SimulatedMember leader, SimulatedMember other) {
    leader.pack();
    while (leader.proposals() > 0) {
      leader.takeProposal(0, true, false);
    }
    while (!log.tail.isEmpty()) {
      log.commit();
    }
    while (leader.hasMore()) {
      leader.applyNext();
    }
    while (other.hasMore()) {
      other.applyNext();
    }
  }

  private void assertTouchesAreFew() {
    long[] bytes = new long[2]; // of touches, of all
    EntryEncoder<String, String> encoder = new EntryEncoder<>(Codec.utf8(), Codec.utf8());
    for (SimulatedLog.Entry entry : log.committed) {
      byte[] content = entry.content();
      if (content != null && !EntryHeader.read(content).isBegin()) {
        bytes[1] += content.length;
        new EntryDecoder<>(Codec.utf8(), Codec.utf8())
            .decode(
                content,
                new EntryDecoder.Items<String, String>() {
                  @Override
                  public void change(long sequence, Change<String, String> change) {}

                  @Override
                  public void touch(String key) {
                    bytes[0] += encoder.item(new Change.Touch<String, String>(key)).length;
                  }

                  @Override
                  public void request(Request request) {}
                });
      }
    }
    System.out.println("touches take " + bytes[0] + " of " + bytes[1] + " bytes");
    assertTrue(bytes[0] > 0 && bytes[0] * 20 <= bytes[1], bytes[0] + " of " + bytes[1]);
  }

  private boolean request(Pensieve<String, String> map, String key) {
    if (map.getAsync(key).entry() != null) {
      return true;
    }
    map.putAsync(key, VALUE);
    return false;
  }

  @Test
  void hitsAfterAFailoverAsIfThereHadBeenNone(@TempDir Path folder) {
    zipf();
    Random random = new Random(Seed.choose());
    SimulatedMember first = member(0, folder);
    SimulatedMember second = member(1, folder);
    try (Pensieve<String, String> plain =
        Pensieve.<String, String>builder().maximumEntries(ENTRIES).open()) {
      lead(first, second);
      for (int i = 0; i < 20 * ENTRIES; i++) {
        String key = draw(random);
        request(plain, key);
        if (!request(first.map, key)) {
          work(first, second);
        }
      }
      assertTouchesAreFew();
      lead(second, first);
      int plainHits = 0;
      int hits = 0;
      int requests = 4 * ENTRIES;
      for (int i = 0; i < requests; i++) {
        String key = draw(random);
        plainHits += request(plain, key) ? 1 : 0;
        if (request(second.map, key)) {
          hits++;
        } else {
          work(second, first);
        }
      }
      double lostPoints = 100.0 * (plainHits - hits) / requests;
      System.out.println("hits " + hits + " of " + requests + ", plain " + plainHits);
      assertTrue(lostPoints < 1, lostPoints + " points lost");
    }
  }
}
