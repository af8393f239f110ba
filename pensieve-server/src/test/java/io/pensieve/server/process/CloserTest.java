package io.pensieve.server.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Each thing is closed, whatever becomes of the others: the log comes last, and must not be left.
 */
final class CloserTest {
  private final List<String> closed = new ArrayList<>();

  @Test
  void oneThatFailsHindersNoOther() {
    IllegalStateException first = new IllegalStateException("first");
    AssertionError second = new AssertionError("second");
    Throwable thrown =
        assertThrows(
            IllegalStateException.class,
            () ->
                Closer.closeAll(
                    List.of(
                        () -> closed.add("a"),
                        () -> {
                          throw first;
                        },
                        () -> closed.add("b"),
                        () -> {
                          throw second;
                        },
                        () -> closed.add("log"))));
    assertSame(first, thrown);
    assertArrayEquals(new Throwable[] {second}, thrown.getSuppressed());
    assertEquals(List.of("a", "b", "log"), closed);
  }

  @Test
  void whatIsThrownIsThrown() {
    assertThrows(StackOverflowError.class, () -> Closer.closeAll(List.of(CloserTest::overflow)));
    assertThrows(
        IllegalStateException.class,
        () ->
            Closer.closeAll(
                List.of(
                    () -> {
                      throw new IOException("x");
                    })));
    Closer.closeAll(List.of(() -> closed.add("a")));
    assertEquals(List.of("a"), closed);
  }

  private static void overflow() {
    throw new StackOverflowError();
  }
}
