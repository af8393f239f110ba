package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.file.SimulatedLog.Event;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The plain model of a map: its entries with their versions, coldest first. For one thread. */
final class LiveModel implements LiveEntries<String, String> {
  private final Map<String, LiveEntry<String, String>> entries = new LinkedHashMap<>();
  private boolean isClosing;

  void apply(Event event) {
    String key = event.change().key();
    LiveEntry<String, String> before = entries.remove(key);
    if (event.change() instanceof Change.Put<String, String> put) {
      entries.put(key, new LiveEntry<>(put, event.sequence()));
    } else if (event.change() instanceof Change.Touch<String, String> && before != null) {
      entries.put(key, before);
    }
  }

  void save(LiveEntry<String, String> entry) {
    entries.put(entry.put().key(), entry);
  }

  List<LiveEntry<String, String>> coldestFirst() {
    return List.copyOf(entries.values());
  }

  /** From now on no base may be put in place. */
  void close() {
    isClosing = true;
  }

  @Override
  public Walk<String, String> walk() {
    return new ModelWalk();
  }

  private final class ModelWalk implements Walk<String, String> {
    // The order is taken at once; each entry is read, or found gone, when it is its turn.
    @Override
    public Iterator<LiveEntry<String, String>> coldestFirst() {
      return new ArrayList<>(entries.keySet())
          .stream().map(entries::get).filter(Objects::nonNull).iterator();
    }

    @Override
    public boolean beforeSwitch() {
      return !isClosing;
    }

    @Override
    public void afterSwitch(long sequence) {}
  }
}
