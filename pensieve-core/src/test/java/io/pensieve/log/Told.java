package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.LiveEntries.Live;
import io.pensieve.log.SimulatedLog.Event;
import java.util.ArrayList;
import java.util.List;

/** What a log told when it was opened: the entries of a base, and the changes since. */
final class Told implements Replay<String, String> {
  private final List<Live<String, String>> entries = new ArrayList<>();
  private final List<Event> events = new ArrayList<>();
  private long lastStamp;

  @Override
  public void entry(Change.Put<String, String> put, long version, long stamp) {
    assertTrue(events.isEmpty(), "entries come first");
    assertTrue(stamp > lastStamp, "in order");
    lastStamp = stamp;
    entries.add(new Live<>(put, version));
  }

  @Override
  public void change(long sequence, Change<String, String> change) {
    assertTrue(sequence > lastStamp, "later used than all entries");
    events.add(new Event(sequence, change));
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {
    assertTrue(bytesRead <= bytesTotal);
  }

  List<Live<String, String>> entries() {
    return entries;
  }

  List<Event> events() {
    return events;
  }

  /** The history of a log without a base. */
  List<Event> onlyEvents() {
    assertEquals(List.of(), entries);
    return events;
  }

  /** The map that this leads to. */
  LiveModel fold() {
    LiveModel map = new LiveModel();
    entries.forEach(map::save);
    events.forEach(map::apply);
    return map;
  }
}
