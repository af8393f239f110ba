package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream.Sequenced;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A change, and how an event stream tells it: made once, when the first one asks for it. */
final class ChangeEvent {
  private final Sequenced<String, StoredValue> change;
  private @Nullable EventBytes event; // of one thread: whoever tells the change

  ChangeEvent(Sequenced<String, StoredValue> change) {
    this.change = change;
  }

  String key() {
    return change.change().key();
  }

  long sequence() {
    return change.sequence();
  }

  /** The event; the same for all. */
  EventBytes bytes() {
    EventBytes made = event;
    if (made == null) {
      made = EventBytes.in(HeapRoom.OF_WATCHERS, make());
      event = made;
    }
    return made;
  }

  /**
   * The event, if there is room on the heap to make it: for those who are not the only one to make
   * some.
   *
   * @throws Refusal if there is none
   */
  EventBytes bytesWithin(HeapRoom room) {
    return change.change() instanceof Change.Put<String, StoredValue> put
        ? room.makeJsonOf(put.value(), this::bytes)
        : bytes();
  }

  private byte[] make() {
    boolean isPut = change.change() instanceof Change.Put<String, StoredValue>;
    return text(change.sequence(), isPut ? "put" : "delete", this::write);
  }

  private void write(JsonWriter json) throws IOException {
    json.name("key").value(key()).name("version").value(change.sequence());
    if (change.change() instanceof Change.Put<String, StoredValue> put) {
      EntryJson.writeValue(json, put.value());
      if (put.expiryMillis() != Change.NEVER) {
        json.name("expires_at_ms").value(put.expiryMillis());
      }
    }
  }

  // An event with an id, from which a client may resume, and with JSON, which has no line ends.
  private static byte[] text(long id, String name, Answers.Fields data) {
    return utf8("id: " + id + "\nevent: " + name + "\ndata: " + Answers.text(data) + "\n\n");
  }

  /** The last event of a stream that cannot go on. */
  static EventBytes end(Problem problem, String detail) {
    String data =
        Answers.text(json -> json.name("code").value(problem.code()).name("detail").value(detail));
    return EventBytes.uncounted(utf8("event: " + problem.code() + "\ndata: " + data + "\n\n"));
  }

  /** No event for those who listen, but the id that they resume from is this now. */
  static EventBytes mark(long id) {
    return EventBytes.uncounted(utf8(": still here\nid: " + id + "\n\n"));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
