package io.pensieve.server.http;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An event as it is sent. Many streams may have it waiting at once: it takes its room on the heap
 * while any of them does, and only once.
 */
final class EventBytes {
  private final byte[] bytes; // never changed
  private final @Nullable HeapRoom room;
  private final AtomicInteger holders = new AtomicInteger();

  private EventBytes(byte[] bytes, @Nullable HeapRoom room) {
    this.bytes = bytes;
    this.room = room;
  }

  static EventBytes in(HeapRoom room, byte[] bytes) {
    return new EventBytes(bytes, room);
  }

  /** What is so small, and so seldom, that it need not be counted. */
  static EventBytes uncounted(byte[] bytes) {
    return new EventBytes(bytes, null);
  }

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return bytes.length;
  }

  /**
   * Holds it for one stream more, if there is room. Of all streams that are offered the same event
   * one thread does this, so that whoever finds a holder finds the room taken.
   */
  boolean hold() {
    if (room == null) {
      return true;
    }
    if (holders.getAndIncrement() == 0 && !room.tryTake(bytes.length, 0)) {
      holders.decrementAndGet();
      return false;
    }
    return true;
  }

  /** Ends one hold; any thread may. */
  void letGo() {
    if (room != null && holders.decrementAndGet() == 0) {
      room.giveBack(bytes.length);
    }
  }
}
