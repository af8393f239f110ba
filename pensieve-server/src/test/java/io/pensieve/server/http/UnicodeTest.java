package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.testing.Depth;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every Unicode scalar value survives the way in and the way out, in keys and in values. */
@Tag(Depth.TAG)
final class UnicodeTest {
  private static final int SCALARS = Character.MAX_CODE_POINT + 1 - 2048;
  // Four bytes each at most, so a batch of them is a key.
  private static final int SCALARS_PER_KEY = SizeLimits.DEFAULT_KEY_BYTES_MAX / 4;

  // In every build a quarter of the basic plane, and a part of the planes behind it.
  private static final int BASIC_STEP = Depth.of(4, 1, 1);
  private static final int STEP_BEHIND = Depth.of(64, 8, 1);

  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void everyScalarRoundTripsInKeysAndValues() throws Exception {
    List<String> batches = batches();
    assertEquals(SCALARS, batches.stream().mapToInt(b -> b.codePointCount(0, b.length())).sum());
    List<String> tried = tried(batches);
    for (String batch : tried) {
      server.put(batch, batch);
      assertEquals(batch, server.map.get(batch), "stored");
      assertEquals(batch, server.get(batch), "answered");
    }
    assertEquals(tried.size(), server.map.size());
  }

  @Test
  void everyScalarRoundTripsInKeysOfEntries() throws Exception {
    KvClient kv = new KvClient(server);
    for (String batch : tried(batches())) {
      String target = ServerUnderTest.escaped(batch);
      kv.put(target, batch.getBytes(StandardCharsets.UTF_8));
      assertEquals(batch, server.map.get(batch), "stored");
      assertEquals(batch, new String(kv.get(target).body(), StandardCharsets.UTF_8), "answered");
    }
  }

  // All of the basic plane, and of those behind it, or a part.
  private static List<String> tried(List<String> batches) {
    List<String> tried = new ArrayList<>();
    for (int i = 0; i < batches.size(); i++) {
      if (i % (batches.get(i).codePointAt(0) < 0x10000 ? BASIC_STEP : STEP_BEHIND) == 0) {
        tried.add(batches.get(i));
      }
    }
    return tried;
  }

  private static List<String> batches() {
    List<String> batches = new ArrayList<>();
    StringBuilder batch = new StringBuilder();
    int inBatch = 0;
    for (int scalar = 0; scalar <= Character.MAX_CODE_POINT; scalar++) {
      if (scalar >= Character.MIN_SURROGATE && scalar <= Character.MAX_SURROGATE) {
        continue;
      }
      batch.appendCodePoint(scalar);
      if (++inBatch == SCALARS_PER_KEY) {
        batches.add(batch.toString());
        batch.setLength(0);
        inBatch = 0;
      }
    }
    batches.add(batch.toString());
    return batches.stream().filter(b -> !b.isEmpty()).toList();
  }

  @Test
  void everyScalarOfTheBasicPlaneRoundTripsWhenItIsEscapedInJson() throws Exception {
    for (int block = 0; block < 0x10000; block += 0x100) {
      if (block >= Character.MIN_SURROGATE && block <= Character.MAX_SURROGATE) {
        continue;
      }
      StringBuilder escaped = new StringBuilder();
      StringBuilder plain = new StringBuilder();
      for (int scalar = block; scalar < block + 0x100; scalar++) {
        escaped.append(String.format("\\u%04x", scalar));
        plain.append((char) scalar);
      }
      server.post("/put", "{\"key\":\"k\",\"val\":\"" + escaped + "\"}");
      assertEquals(plain.toString(), server.get("k"));
    }
  }

  @Test
  void escapedPairsOfSurrogatesAreOneScalar() throws Exception {
    server.post("/put", "{\"key\":\"k\",\"val\":\"\\ud83d\\ude00\"}");
    assertEquals("😀", server.get("k"));
  }
}
