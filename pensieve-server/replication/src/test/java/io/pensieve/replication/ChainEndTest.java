package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.format.EntryHeader;
import org.junit.jupiter.api.Test;

class ChainEndTest {
  private static EntryHeader begin(long term) {
    return new EntryHeader(true, term, 1, 0, 0);
  }

  private static EntryHeader changes(long term, long before, int count) {
    return new EntryHeader(false, term, 0, before, count);
  }

  private static LogPosition in(long term) {
    return new LogPosition(term, 1);
  }

  @Test
  void changesCountThatFollowWithoutAGap() {
    ChainEnd begun = ChainEnd.START.after(begin(3));
    long begin = begun.last();
    assertTrue(begun.accepts(in(3), changes(3, begin, 2)));
    ChainEnd next = begun.after(changes(3, begin, 2));
    assertEquals(begin + 2, next.last());
    assertTrue(next.accepts(in(3), changes(3, begin + 2, 1)));
    assertFalse(next.accepts(in(3), changes(3, begin + 3, 1)), "one before it was lost");
    assertFalse(next.accepts(in(3), changes(3, begin, 2)), "a second time");
  }

  @Test
  void whatAnOustedLeaderHasInAQueueDoesNotCount() {
    ChainEnd begun = ChainEnd.START.after(begin(3));
    assertFalse(begun.accepts(in(4), changes(3, begun.last(), 1)));
    assertFalse(begun.accepts(in(4), begin(3)));
    assertFalse(begun.accepts(in(4), changes(4, begun.last(), 1)), "before its leader has begun");
  }

  @Test
  void aLeadBeginsAboveAllThatEarlierOnesCanHaveGiven() {
    ChainEnd end = ChainEnd.START;
    for (int i = 0; i < 1000; i++) {
      long before = end.last();
      end = end.after(begin(1));
      assertTrue(end.last() > before + ChainEnd.GAP, "at " + before);
      end = end.after(changes(1, end.last(), 1 + i * 30_000));
    }
    assertTrue(end.last() < 1L << 53, "JSON has these numbers");
  }
}
