package io.pensieve.server.http.value;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All shares of a heap together fit it. */
final class HeapSharesTest {
  private static final long MIB = 1 << 20;
  private static final long VALUES_READ = 2; // of the log, by the hub: its bytes, and what they are
  private static final int CONNECTION_BYTES = 4 << 10;

  @ParameterizedTest
  @ValueSource(longs = {32, 64, 100, 128, 192, 240, 256, 512, 1024, 32_768})
  void fitsItTogether(long mebibytes) {
    HeapShares shares = new HeapShares(mebibytes * MIB);
    long others =
        shares.requestBytes()
            + shares.eventBytes()
            + shares.recentChangeBytes()
            + shares.connectionsDefault() * CONNECTION_BYTES
            + VALUES_READ * shares.valueBytesDefault();
    assertTrue(shares.capacityBytesDefault() + others <= shares.heapBytes());
    assertTrue(2 * shares.valueBytesDefault() <= shares.requestBytes());
    assertTrue(shares.valueBytesDefault() <= shares.valueBytesMax());
    assertTrue(shares.connectionsDefault() <= shares.connectionsMax());
    assertTrue(shares.requestsDefault() <= shares.requestsMax());
    assertTrue(shares.watchersDefault() <= shares.watchersMax());
  }

  @Test
  void givesTheLongestValueSixteenMebibytesWhereThatFits() {
    assertEquals(4 * MIB, new HeapShares(64 * MIB).valueBytesDefault());
    assertEquals(8 * MIB, new HeapShares(128 * MIB).valueBytesDefault());
    assertEquals(16 * MIB, new HeapShares(192 * MIB).valueBytesDefault());
    assertEquals(16 * MIB, new HeapShares(1024 * MIB).valueBytesDefault());
  }
}
