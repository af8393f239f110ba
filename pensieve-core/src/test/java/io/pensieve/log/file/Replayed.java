package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.file.SimulatedLog.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What a log told when it was opened: the entries of a base, and the changes since. Takes them in
 * order, and sees to it that they come so, or in any order.
 */
final class Replayed
    implements ReplayHandler<String, String>, ReplayHandler.Unordered<String, String> {
  private final boolean takesAnyOrder;
  private final NavigableMap<Long, LiveEntry<String, String>> entries = new TreeMap<>(); // by stamp
  private final NavigableMap<Long, Change<String, String>> changes = new TreeMap<>();
  private final NavigableMap<Long, Long> stamps = new ConcurrentSkipListMap<>(); // of changes
  private long complete; // up to here nothing may follow

  private Replayed(boolean takesAnyOrder) {
    this.takesAnyOrder = takesAnyOrder;
  }

  static Replayed inOrder() {
    return new Replayed(false);
  }

  static Replayed inAnyOrder() {
    return new Replayed(true);
  }

  @Override
  public Optional<Unordered<String, String>> unordered() {
    return takesAnyOrder ? Optional.of(this) : Optional.empty();
  }

  @Override
  public synchronized void entry(Change.Put<String, String> put, long version, long stamp) {
    if (!takesAnyOrder) {
      assertTrue(changes.isEmpty(), "entries come first");
      assertTrue(entries.isEmpty() || stamp > entries.lastKey(), "in order");
    }
    LiveEntry<String, String> liveEntry = new LiveEntry<>(put, version);
    assertNull(entries.put(stamp, liveEntry), "told once");
  }

  @Override
  public void change(long sequence, long stamp, Change<String, String> change) {
    change(sequence, change);
    assertNull(stamps.put(sequence, stamp), "told once");
  }

  @Override
  public synchronized void change(long sequence, Change<String, String> change) {
    if (!takesAnyOrder) {
      assertTrue(changes.isEmpty() || sequence > changes.lastKey(), "in order");
    }
    assertTrue(sequence > complete, "everything up to " + complete + " had been told");
    assertNull(changes.put(sequence, change), "told once");
  }

  @Override
  public synchronized void completeUpTo(long sequence) {
    complete = Math.max(complete, sequence);
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {
    assertTrue(bytesRead <= bytesTotal);
  }

  synchronized List<LiveEntry<String, String>> entries() {
    return List.copyOf(entries.values());
  }

  synchronized List<Event> events() {
    assertTrue(
        entries.isEmpty() || changes.isEmpty() || changes.firstKey() > entries.lastKey(),
        "later used than all entries");
    long last = entries.isEmpty() ? 0 : entries.lastKey();
    for (long stamp : stamps.values()) {
      assertTrue(stamp > last, "the stamps have the order of the sequences");
      last = stamp;
    }
    List<Event> events = new ArrayList<>();
    changes.forEach((sequence, change) -> events.add(new Event(sequence, change)));
    return events;
  }

  /** The history of a log without a base. */
  synchronized List<Event> onlyEvents() {
    assertEquals(List.of(), entries());
    return events();
  }

  /** The map that this leads to. */
  synchronized LiveModel fold() {
    LiveModel map = new LiveModel();
    entries().forEach(map::save);
    events().forEach(map::apply);
    return map;
  }
}
