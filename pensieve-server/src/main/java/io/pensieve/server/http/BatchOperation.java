package io.pensieve.server.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.pensieve.TimeToLive;
import io.pensieve.server.http.json.JsonObjectReader;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.json.StrictJson;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.StoredValue;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One operation of a batch request. */
sealed interface BatchOperation {
  /** Reads the entry. */
  record Get(String key) implements BatchOperation {}

  /** Writes the entry. */
  record Put(String key, StoredValue value, Optional<TimeToLive> ttl) implements BatchOperation {}

  /** Removes the entry. */
  record Delete(String key) implements BatchOperation {}

  /** Changes how long the entry lives. */
  record Touch(String key, TimeToLive ttl) implements BatchOperation {}

  /** Adds to the entry's number. */
  record Incr(String key, long by, TimeToLive ttl) implements BatchOperation {}

  /** Requires the entry to have this version; 0 requires it to be absent. */
  record Check(String key, long version) implements BatchOperation {}

  /** An invalid operation of a non-atomic batch. The other operations are executed. */
  record Invalid(ProblemException problem) implements BatchOperation {}

  /**
   * A batch.
   *
   * @param atomic whether all operations succeed or none
   */
  record Batch(boolean atomic, List<BatchOperation> operations) {}

  /** Parses batches strictly. Unlike elsewhere, an unknown field is an error. */
  final class Parser {
    private static final String OP = "op";
    private static final String KEY = "key";
    private static final String VALUE = "value";
    private static final String VALUE_BASE64 = "value_base64";
    private static final String TTL = TtlParameters.TTL;
    private static final String INITIAL_TTL = TtlParameters.INITIAL_TTL;
    private static final String CONTENT_TYPE = "content_type";
    private static final String BY = "by";
    private static final String VERSION = "version";

    private static final Map<String, Set<String>> FIELDS =
        Map.of(
            "get", Set.of(OP, KEY),
            "put", Set.of(OP, KEY, VALUE, VALUE_BASE64, TTL, INITIAL_TTL, CONTENT_TYPE),
            "delete", Set.of(OP, KEY),
            "touch", Set.of(OP, KEY, TTL),
            "incr", Set.of(OP, KEY, BY, TTL, INITIAL_TTL),
            "check", Set.of(OP, KEY, VERSION));
    private static final int FIELDS_MAX = 8;

    private final SizeLimits limits;

    Parser(SizeLimits limits) {
      this.limits = limits;
    }

    Batch parse(ByteArrayInputStream body) {
      int operationsMax = SizeLimits.BATCH_OPERATIONS_MAX;
      JsonElement root = StrictJson.tree(body, FIELDS_MAX * (operationsMax + 2));
      JsonObject batch = object(root, "the body");
      requireKnown(batch, Set.of("atomic", "ops"), "the batch");
      JsonElement atomic = batch.get("atomic");
      if (!(atomic instanceof JsonPrimitive flag) || !flag.isBoolean()) {
        throw JsonObjectReader.invalid("atomic", "must be true or false");
      }
      JsonElement operations = batch.get("ops");
      if (operations == null || !operations.isJsonArray()) {
        throw JsonObjectReader.invalid("ops", "must be an array");
      }
      if (operations.getAsJsonArray().size() > operationsMax) {
        throw ProblemType.BATCH_TOO_LARGE.withDetail(
            "the batch has "
                + operations.getAsJsonArray().size()
                + " operations, the limit is "
                + operationsMax);
      }
      List<BatchOperation> parsed = new ArrayList<>();
      JsonArray unparsed = operations.getAsJsonArray();
      for (int i = 0; i < unparsed.size(); i++) {
        parsed.add(operation(unparsed.get(i), i, flag.getAsBoolean()));
        unparsed.set(i, JsonNull.INSTANCE); // otherwise memory would hold its texts twice
      }
      return new Batch(flag.getAsBoolean(), parsed);
    }

    /**
     * An invalid operation rejects only itself, but in an atomic batch it rejects the whole batch.
     */
    private BatchOperation operation(JsonElement json, int index, boolean atomic) {
      try {
        return operation(object(json, "it"));
      } catch (ProblemException exception) {
        if (!atomic) {
          return new Invalid(exception);
        }
        throw new ProblemException(
            exception.type(),
            "operation " + index + ": " + exception.detail(),
            fields -> fields.name("op").value(index));
      }
    }

    private static JsonObject object(JsonElement element, String what) {
      if (!element.isJsonObject()) {
        throw ProblemType.INVALID_BODY.withDetail(what + " is not a JSON object");
      }
      return element.getAsJsonObject();
    }

    private static void requireKnown(JsonObject object, Set<String> known, String what) {
      if (!known.containsAll(object.keySet())) {
        throw ProblemType.INVALID_BODY.withDetail(what + " has a field that is not known");
      }
    }

    private BatchOperation operation(JsonObject json) {
      String op = text(json, OP).orElseThrow(() -> JsonObjectReader.invalid(OP, "is missing"));
      Set<String> fields = FIELDS.get(op);
      if (fields == null) {
        throw JsonObjectReader.invalid(OP, "must be get, put, delete, touch, incr or check");
      }
      requireKnown(json, fields, "an operation");
      String key =
          limits.key(
              text(json, KEY).orElseThrow(() -> JsonObjectReader.invalid(KEY, "is missing")));
      return switch (op) {
        case "get" -> new Get(key);
        case "put" -> put(key, json);
        case "delete" -> new Delete(key);
        case "touch" ->
            new Touch(key, TtlParameters.required(TTL, text(json, TTL), Parser::invalid));
        case "incr" -> new Incr(key, integer(json, BY), ttl(json).orElseGet(TimeToLive::unchanged));
        default -> new Check(key, version(json));
      };
    }

    private Put put(String key, JsonObject json) {
      StoredValue value = value(json);
      limits.requireFits(key, value);
      return new Put(key, value, ttl(json));
    }

    private StoredValue value(JsonObject json) {
      Optional<String> text = text(json, VALUE);
      Optional<String> base64 = text(json, VALUE_BASE64);
      Optional<String> type = text(json, CONTENT_TYPE).map(MediaType::type);
      if (text.isPresent() == base64.isPresent()) {
        throw JsonObjectReader.invalid(VALUE, "or else " + VALUE_BASE64 + " must be there");
      }
      if (text.isPresent()) {
        StoredValue plain = StoredValue.text(limits.value(text.get()));
        return type.map(plain::withType).orElse(plain);
      }
      byte[] bytes = decode(base64.get());
      limits.requireValue(bytes.length);
      return StoredValue.typed(type.orElse(""), new ByteArrayInputStream(bytes));
    }

    private static byte[] decode(String base64) {
      try {
        return Base64.getDecoder().decode(base64);
      } catch (IllegalArgumentException notBase64) {
        throw JsonObjectReader.invalid(VALUE_BASE64, "is not base64");
      }
    }

    private static Optional<TimeToLive> ttl(JsonObject json) {
      return TtlParameters.of(text(json, TTL), text(json, INITIAL_TTL), Parser::invalid);
    }

    private static ProblemException invalid(String name, String expected) {
      return JsonObjectReader.invalid(name, "must be " + expected);
    }

    private static long version(JsonObject json) {
      long version = integer(json, VERSION);
      if (version < 0) {
        throw JsonObjectReader.invalid(VERSION, "is below 0");
      }
      return version;
    }

    private static Optional<String> text(JsonObject json, String name) {
      JsonElement field = json.get(name);
      if (field == null) {
        return Optional.empty();
      }
      if (!(field instanceof JsonPrimitive primitive) || !primitive.isString()) {
        throw JsonObjectReader.invalid(name, "is not a string");
      }
      return Optional.of(primitive.getAsString());
    }

    private static long integer(JsonObject json, String name) {
      JsonElement field = json.get(name);
      if (!(field instanceof JsonPrimitive primitive) || !primitive.isNumber()) {
        throw JsonObjectReader.invalid(name, "is not a number");
      }
      return JsonObjectReader.integer(name, primitive.getAsString());
    }
  }
}
