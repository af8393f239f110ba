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

/** A change and its server-sent event. The first use creates the event. */
public final class ChangeEvent {
  private final Sequenced<String, StoredValue> change;
  // For one thread: the one that delivers the change.
  private @Nullable SharedEventBytes event;

  ChangeEvent(Sequenced<String, StoredValue> change) {
    this.change = change;
  }

  public String key() {
    return change.change().key();
  }

  long sequence() {
    return change.sequence();
  }

  /** Returns the event, which all streams share. Its value becomes JSON only while it is sent. */
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

  // An event has an id, from which a client may resume, and JSON data, which has no line breaks.
  private static LazyBytes pieces(long id, String name, FieldWriter data) {
    return LazyJsonWriter.object("id: " + id + "\nevent: " + name + "\ndata: ", data, "\n\n");
  }

  /** Returns the last event of a stream that cannot continue. */
  static SharedEventBytes end(ProblemType problem, String detail) {
    return SharedEventBytes.uncounted(
        LazyJsonWriter.object(
            "event: " + problem.code() + "\ndata: ",
            json -> json.name("code").value(problem.code()).name("detail").value(detail),
            "\n\n"));
  }

  /** Returns a comment with an id: clients see no event, but resume from this id. */
  static SharedEventBytes mark(long id) {
    return SharedEventBytes.uncounted(
        LazyBytes.of(Utf8Validator.bytes(": still here\nid: " + id + "\n\n")));
  }
}
