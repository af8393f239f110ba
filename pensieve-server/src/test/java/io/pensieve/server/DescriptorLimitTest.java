package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class DescriptorLimitTest {
  private final ByteArrayOutputStream told = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(told, true, StandardCharsets.UTF_8);

  @Test
  void connectionsLeaveTheLogItsFiles() {
    assertEquals(72, DescriptorLimit.connectionsMax(20_000, 160, 40, err));
    String line = told.toString(StandardCharsets.UTF_8);
    assertTrue(line.contains("connections-max is 72, not 20000"), line);
    assertTrue(line.contains("160 files"), line);
  }

  @Test
  void whatThereIsRoomForIsNotCut() {
    assertEquals(72, DescriptorLimit.connectionsMax(72, 160, 40, err));
    assertEquals(20_000, DescriptorLimit.connectionsMax(20_000, 1 << 20, 40, err));
    assertEquals(20_000, DescriptorLimit.connectionsMax(20_000, -1, 40, err)); // no limit
    assertEquals("", told.toString(StandardCharsets.UTF_8));
  }

  @Test
  void someoneIsServedHoweverFewThereAre() {
    assertEquals(1, DescriptorLimit.connectionsMax(20_000, 50, 49, err));
  }
}
