package io.pensieve.server.http;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An event as it is sent. Many streams may have it waiting at once: what it holds of the heap is
 * counted while any of them does, and only once.
 */
final class EventBytes {
  private final Pieces pieces;
  private final @Nullable HeapRoom room;
  private final AtomicInteger holders = new AtomicInteger();

  private EventBytes(Pieces pieces, @Nullable HeapRoom room) {
    this.pieces = pieces;
    this.room = room;
  }

  static EventBytes in(HeapRoom room, Pieces pieces) {
    return new EventBytes(pieces, room);
  }

  /** What is so small, and so seldom, that it need not be counted. */
  static EventBytes uncounted(Pieces pieces) {
    return new EventBytes(pieces, null);
  }

  /** The same, not counted: for one that is sent at once. */
  EventBytes uncounted() {
    return uncounted(pieces);
  }

  long length() {
    return pieces.length();
  }

  Pieces.Reading read() {
    return pieces.read();
  }

  /**
   * Holds it for one stream more, if there is room. Of all streams that are offered the same event
   * one thread does this, so that whoever finds a holder finds the room taken.
   */
  boolean hold() {
    if (room == null) {
      return true;
    }
    if (holders.getAndIncrement() == 0 && !room.tryTake(pieces.bytesHeld(), 0)) {
      holders.decrementAndGet();
      return false;
    }
    return true;
  }

  /** Ends one hold; any thread may. */
  void letGo() {
    if (room != null && holders.decrementAndGet() == 0) {
      room.giveBack(pieces.bytesHeld());
    }
  }
}
