package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.Submission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Somebody else writes just between the look at the version and the write. */
final class ConditionalWriteTest {
  private static final StoredValue MINE = StoredValue.text("mine");
  private static final StoredValue OTHERS = StoredValue.text("others");

  private final Pensieve<String, StoredValue> memories =
      Pensieve.<String, StoredValue>builder().open();
  private final List<Long> looks = new ArrayList<>();

  @AfterEach
  void close() {
    memories.close();
  }

  private boolean writeBetween(long version, LongPredicate condition) {
    looks.add(version);
    if (looks.size() == 1) {
      memories.put("k", OTHERS);
    }
    return condition.test(version);
  }

  @Test
  void theConditionIsAskedAgain() {
    memories.put("k", StoredValue.text("old"));
    Submission<StoredValue> put =
        ConditionalWrite.put(memories, "k", MINE, Optional.empty())
            .submitIf(version -> writeBetween(version, any -> true));
    assertTrue(put.applied());
    assertEquals(OTHERS, put.previous());
    assertEquals(2, looks.size());
    assertTrue(looks.get(1) > looks.get(0));
  }

  @Test
  void whoeverWantsTheVersionOfBeforeIsRefused() {
    memories.put("k", StoredValue.text("old"));
    Submission<StoredValue> put =
        ConditionalWrite.put(memories, "k", MINE, Optional.empty())
            .submitIf(version -> writeBetween(version, same -> same == looks.get(0)));
    assertFalse(put.applied());
    assertEquals(looks.get(1), put.version());
    assertEquals(OTHERS, memories.get("k"));
  }

  @Test
  void whoeverWantsAbsenceIsRefused() {
    Submission<StoredValue> put =
        ConditionalWrite.put(memories, "k", MINE, Optional.empty())
            .submitIf(version -> writeBetween(version, none -> none == 0));
    assertFalse(put.applied());
    assertEquals(OTHERS, memories.get("k"));
  }

  @Test
  void aRemovalIsNoOther() {
    memories.put("k", StoredValue.text("old"));
    ConditionalWrite removal = ConditionalWrite.removal(memories, "k");
    assertFalse(
        removal.submitIf(version -> writeBetween(version, same -> same == looks.get(0))).applied());
    assertEquals(OTHERS, memories.get("k"));
    assertTrue(removal.submitIf(version -> version != 0).applied());
    assertNull(memories.get("k"));
    Submission<StoredValue> nothing = removal.submitIf(version -> version == 0);
    assertFalse(nothing.applied());
    assertEquals(0, nothing.version());
  }
}
