package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.replication.format.EntryDecoder;
import io.pensieve.replication.format.EntryHeader;
import io.pensieve.replication.format.Request;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the committed log of a simulated cluster says: written once more, as plainly as possible. Of
 * a lead, the changes count that follow one another without a gap.
 */
final class HistoryModel {
  /** A change that counts, and where in the log it is. */
  record Event(int index, long version, Change<String, String> change, @Nullable State before) {}

  /** An entry of the map. */
  record State(String value, long version) {}

  final List<Event> events = new ArrayList<>();
  final Map<Long, Event> byVersion = new HashMap<>();
  final Map<String, Integer> executions = new HashMap<>(); // of each request
  private final Map<String, TreeMap<Long, State>> timelines = new HashMap<>();
  private final Map<String, State> map = new LinkedHashMap<>();
  private final EntryDecoder<String, String> decoder =
      new EntryDecoder<>(Codec.utf8(), Codec.utf8());
  private final Set<Long> begins = new HashSet<>();
  private int read;
  private long leadTerm;
  private long last;

  /** Reads what was committed since the last call. */
  void readOn(SimulatedLog log) {
    while (read < log.committed.size()) {
      SimulatedLog.Entry entry = log.committed.get(read);
      read++;
      byte[] content = entry.content();
      if (content != null) {
        read(entry.term(), content);
      }
    }
  }

  private void read(long term, byte[] content) {
    EntryHeader header = EntryHeader.read(content);
    if (header.term() != term) {
      return;
    }
    if (header.isBegin()) {
      leadTerm = term;
      last = (last / ChainEnd.GAP + 2) * ChainEnd.GAP;
      check(begins.add(last), "a begin twice: " + last);
    } else if (leadTerm == term && header.before() == last) {
      last = header.last();
      decoder.decode(content, new Reader());
    }
  }

  // A place in time behind the entry of an index, with room for the changes of the next one.
  private static long after(int index) {
    return (index + 1L) << 20;
  }

  private final class Reader implements EntryDecoder.Items<String, String> {
    private int changeOfEntry;

    @Override
    public void change(long sequence, Change<String, String> change) {
      State before = map.get(change.key());
      Event event = new Event(read, sequence, change, before);
      check(byVersion.put(sequence, event) == null, "a version twice: " + sequence);
      check(
          events.isEmpty() || events.get(events.size() - 1).version() < sequence,
          "not ascending: " + sequence);
      events.add(event);
      State after =
          change instanceof Change.Put<String, String> put
              ? new State(put.value(), sequence)
              : null;
      if (after == null) {
        map.remove(change.key());
      } else {
        map.put(change.key(), after);
      }
      timelines
          .computeIfAbsent(change.key(), key -> new TreeMap<>())
          .put(after(read - 1) + ++changeOfEntry, orAbsent(after));
    }

    @Override
    public void touch(String key) {}

    @Override
    public void request(Request request) {
      executions.merge(request.id(), 1, Integer::sum);
    }
  }

  private static final State ABSENT = new State("", 0);

  private static State orAbsent(@Nullable State state) {
    return state == null ? ABSENT : state;
  }

  /**
   * Whether a key had this version, or was absent if it is 0, at some index from one to another.
   */
  boolean had(String key, long version, int from, int to) {
    TreeMap<Long, State> timeline = timelines.getOrDefault(key, new TreeMap<>());
    Map.Entry<Long, State> first = timeline.floorEntry(after(from));
    State atFirst = first == null ? ABSENT : first.getValue();
    return atFirst.version() == version
        || timeline.subMap(after(from), false, after(to), true).values().stream()
            .anyMatch(state -> state.version() == version);
  }

  /** What a key had from one index to another, for a message. */
  String describe(String key, int from, int to) {
    TreeMap<Long, State> timeline = timelines.getOrDefault(key, new TreeMap<>());
    return " at "
        + from
        + ": "
        + timeline.floorEntry(after(from))
        + ", until "
        + to
        + ": "
        + timeline.subMap(after(from), false, after(to), true);
  }

  Map<String, State> map() {
    return map;
  }

  static void check(boolean holds, String message) {
    if (!holds) {
      throw new AssertionError(message);
    }
  }
}
