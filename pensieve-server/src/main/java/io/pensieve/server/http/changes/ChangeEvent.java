package io.pensieve.server.http.changes;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.server.http.json.EntryJson;
import io.pensieve.server.http.json.FieldWriter;
import io.pensieve.server.http.json.LazyBytes;
import io.pensieve.server.http.json.LazyJsonWriter;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.Utf8Validator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A change, and how an event stream tells it: made once, when the first one asks for it. */
public final class ChangeEvent {
  private final Sequenced<String, StoredValue> change;
  private @Nullable SharedEventBytes event; // of one thread: whoever tells the change

  ChangeEvent(Sequenced<String, StoredValue> change) {
    this.change = change;
  }

  public String key() {
    return change.change().key();
  }

  long sequence() {
    return change.sequence();
  }

  /** The event; the same for all. Its value is not made into JSON before it is sent. */
  SharedEventBytes bytes() {
    SharedEventBytes made = event;
    if (made == null) {
      boolean isPut = change.change() instanceof Change.Put<String, StoredValue>;
      made =
          SharedEventBytes.in(
              MemoryBudget.OF_WATCHERS,
              pieces(change.sequence(), isPut ? "put" : "delete", this::write));
      event = made;
    }
    return made;
  }

  private void write(LazyJsonWriter json) throws IOException {
    json.name("key").value(key()).name("version").value(change.sequence());
    if (change.change() instanceof Change.Put<String, StoredValue> put) {
      EntryJson.writeValue(json, put.value());
      if (put.expiryMillis() != Change.NEVER) {
        json.name("expires_at_ms").value(put.expiryMillis());
      }
    }
  }

  // An event with an id, from which a client may resume, and with JSON, which has no line ends.
  private static LazyBytes pieces(long id, String name, FieldWriter data) {
    return LazyJsonWriter.object("id: " + id + "\nevent: " + name + "\ndata: ", data, "\n\n");
  }

  /** The last event of a stream that cannot go on. */
  static SharedEventBytes end(ProblemType problem, String detail) {
    return SharedEventBytes.uncounted(
        LazyJsonWriter.object(
            "event: " + problem.code() + "\ndata: ",
            json -> json.name("code").value(problem.code()).name("detail").value(detail),
            "\n\n"));
  }

  /** No event for those who listen, but the id that they resume from is this now. */
  static SharedEventBytes mark(long id) {
    return SharedEventBytes.uncounted(
        LazyBytes.of(Utf8Validator.bytes(": still here\nid: " + id + "\n\n")));
  }
}
