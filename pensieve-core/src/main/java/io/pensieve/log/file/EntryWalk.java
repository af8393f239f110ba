package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import java.util.Collections;
import java.util.Iterator;

/** One walk over the entries of a map in use, into a base. For the compactor's thread. */
final class EntryWalk<K, V> {
  private final Source<K, V> source;
  private final LiveEntries.Walk<K, V> walk;
  private final long position;
  private Iterator<LiveEntries.LiveEntry<K, V>> entries = Collections.emptyIterator();

  /** The entries of a map, and how they become bytes. */
  record Source<K, V>(LiveEntries<K, V> entries, Codec<K> keyCodec, Codec<V> valueCodec) {}

  private EntryWalk(Source<K, V> source, LiveEntries.Walk<K, V> walk, long position) {
    this.source = source;
    this.walk = walk;
    this.position = position;
  }

  /** Begins a walk, and notes the log's end: see DESIGN.md, "Compaction", steps 1 and 2. */
  static <K, V> EntryWalk<K, V> begin(Source<K, V> source, RingBuffer ring) {
    LiveEntries.Walk<K, V> walk = source.entries().walk();
    return new EntryWalk<>(source, walk, ring.end());
  }

  /** The log's end when the walk began. */
  long position() {
    return position;
  }

  /** Sorts the entries, the coldest first. Waits for keys that are being changed. */
  void sort() {
    entries = walk.coldestFirst();
  }

  /** Adds entries to the base until so many bytes are buffered. Answers whether all were added. */
  boolean addUntil(int bytes, BaseWriter base) {
    boolean isEnd = base.addUntil(bytes, entries, source.keyCodec(), source.valueCodec());
    if (isEnd) {
      entries = Collections.emptyIterator(); // the array behind it is large
    }
    return isEnd;
  }

  LiveEntries.Walk<K, V> walk() {
    return walk;
  }
}
