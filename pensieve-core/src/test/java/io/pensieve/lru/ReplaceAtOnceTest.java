package io.pensieve.lru;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.StackOverflows;
import java.time.InstantSource;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Puts that replace values at once. {@code EvictionModelTest} and others test what they do. */
@Timeout(300)
class ReplaceAtOnceTest {
  private static final int FRAMES_MAX = 300;
  private static final String KEY = "key";

  /** Takes a change in its last step, which needs neither stack nor heap. */
  private static final class Sink extends NoOpSink<String, Integer> {
    private final boolean givesVersions;
    private long puts;
    private @Nullable Integer taken;

    Sink(boolean givesVersions) {
      this.givesVersions = givesVersions;
    }

    @Override
    public long put(String key, Integer value, long expiryMillis) {
      taken = value;
      puts++;
      return givesVersions ? puts : 0;
    }
  }

  @Test
  void whereverTheStackEndsTheNodeIsFreeAndHasWhatTheLogHas() throws Exception {
    StackOverflows.inSmallThread(() -> survive(new Sink(true)));
  }

  @Test
  void withoutALogTheNodeIsFreeWhereverTheStackEnds() throws Exception {
    StackOverflows.inSmallThread(() -> survive(new Sink(false)));
  }

  private static LruTable<String, Integer> table(Sink sink) {
    LruTable<String, Integer> table =
        new LruTable<>(
            new Capacity<>(3, Capacity.UNWEIGHTED, (key, value) -> 1),
            sink,
            sink,
            InstantSource.system(),
            () -> {},
            new SortedKeys<>(null));
    table.put(KEY, -2); // adds the node
    table.put(KEY, -1); // replaces the value, with the whole stack
    return table;
  }

  private static Object survive(Sink sink) {
    LruTable<String, Integer> table = table(sink);
    Node<String, Integer> node = requireNonNull(table.find(KEY));
    StackOverflows stack = new StackOverflows();
    int ended = 0;
    long version = node.version();
    for (int frames = 0; frames < FRAMES_MAX; frames++) {
      Integer before = node.value();
      Integer value = frames;
      try {
        stack.run(frames, () -> table.put(KEY, value));
        assertSame(value, node.value());
      } catch (StackOverflowError end) {
        ended++;
      }
      assertEquals(Node.IDLE, node.state, "nobody owns the key");
      if (sink.givesVersions) {
        assertSame(sink.taken, node.value());
        assertEquals(sink.puts, node.version());
      } else {
        Integer after = node.value();
        assertTrue(value.equals(after) || Objects.equals(before, after), "done, or not done");
        assertTrue(node.version() >= version, "a version never becomes smaller");
      }
      version = node.version();
      assertTrue(node.hasReached(version), "the write has ended");
    }
    assertTrue(ended > 0, "the stack has ended");
    return ended;
  }
}
