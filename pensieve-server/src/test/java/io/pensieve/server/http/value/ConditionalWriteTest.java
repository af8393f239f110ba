package io.pensieve.server.http.value;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.Write;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Somebody else writes just between the look at the version and the write. */
final class ConditionalWriteTest {
  private static final StoredValue MINE = StoredValue.text("mine");
  private static final StoredValue OTHERS = StoredValue.text("others");

  private final Pensieve<String, StoredValue> map = Pensieve.<String, StoredValue>builder().open();
  private final List<Long> looks = new ArrayList<>();

  @AfterEach
  void close() {
    map.close();
  }

  private boolean writeBetween(long version, LongPredicate condition) {
    looks.add(version);
    if (looks.size() == 1) {
      map.put("k", OTHERS);
    }
    return condition.test(version);
  }

  @Test
  void theConditionIsAskedAgain() {
    map.put("k", StoredValue.text("old"));
    PendingWrite<StoredValue> put =
        ConditionalWrite.put(
            map, "k", Write.put("k", MINE), version -> writeBetween(version, any -> true));
    assertTrue(put.applied());
    assertEquals(OTHERS, put.previous());
    assertEquals(2, looks.size());
    assertTrue(looks.get(1) > looks.get(0));
  }

  @Test
  void whoeverWantsTheVersionOfBeforeIsRefused() {
    map.put("k", StoredValue.text("old"));
    PendingWrite<StoredValue> put =
        ConditionalWrite.put(
            map,
            "k",
            Write.put("k", MINE),
            version -> writeBetween(version, same -> same == looks.get(0)));
    assertFalse(put.applied());
    assertEquals(looks.get(1), put.version());
    assertEquals(OTHERS, map.get("k"));
  }

  @Test
  void whoeverWantsAbsenceIsRefused() {
    PendingWrite<StoredValue> put =
        ConditionalWrite.put(
            map, "k", Write.put("k", MINE), version -> writeBetween(version, none -> none == 0));
    assertFalse(put.applied());
    assertEquals(OTHERS, map.get("k"));
  }

  @Test
  void aRemovalIsNoOther() {
    map.put("k", StoredValue.text("old"));
    assertFalse(
        ConditionalWrite.remove(
                map, "k", version -> writeBetween(version, same -> same == looks.get(0)))
            .applied());
    assertEquals(OTHERS, map.get("k"));
    assertTrue(ConditionalWrite.remove(map, "k", version -> version != 0).applied());
    assertNull(map.get("k"));
    PendingWrite<StoredValue> nothing = ConditionalWrite.remove(map, "k", version -> version == 0);
    assertFalse(nothing.applied());
    assertEquals(0, nothing.version());
  }
}
