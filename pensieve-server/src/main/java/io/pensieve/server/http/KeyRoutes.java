package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.KeyPage;
import io.pensieve.KeyQuery;
import io.pensieve.OrderedKeys;
import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.log.LogException;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.ReadConsistency;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32;

/** The routes that list, count and delete keys by their prefix. */
final class KeyRoutes {
  private static final String PREFIX = "prefix";
  private static final String ALL = "all";
  private static final String DELIMITER = "delimiter";
  private static final String LIMIT = "limit";
  private static final String CURSOR = "cursor";
  private static final Set<String> KEYS_PARAMETERS =
      Set.of(PREFIX, DELIMITER, LIMIT, CURSOR, ReadConsistency.PARAMETER);
  private static final Set<String> COUNT_PARAMETERS = Set.of(PREFIX, ReadConsistency.PARAMETER);
  private static final Set<String> DELETE_PARAMETERS = Set.of(PREFIX, ALL, LIMIT, CURSOR);
  private static final int LIMIT_DEFAULT = 100;
  private static final int LIMIT_MAX = 1000;

  private final Pensieve<String, StoredValue> map;

  KeyRoutes(Pensieve<String, StoredValue> map) {
    this.map = map;
  }

  void keys(HttpServerExchange exchange) {
    QueryParameters query = QueryParameters.of(exchange, KEYS_PARAMETERS);
    String prefix = query.text(PREFIX).orElse("");
    Optional<String> delimiter = query.text(DELIMITER);
    if (delimiter.isPresent() && delimiter.get().isEmpty()) {
      throw QueryParameters.invalid(DELIMITER, "not empty");
    }
    int limit = query.number(LIMIT, 1, LIMIT_MAX).orElse((long) LIMIT_DEFAULT).intValue();
    Optional<String> after = query.text(CURSOR).map(text -> Cursor.read(text, prefix, delimiter));
    KeyQuery keys = new KeyQuery(prefix, delimiter, after, limit);
    // A page may wait for the disk, and skip many removed keys, so a worker reads it.
    exchange.dispatch(
        ExceptionMapper.mapped(LeaderGate.onWorker(onWorker -> answerPage(onWorker, keys))));
  }

  private OrderedKeys<String> certainKeys(HttpServerExchange exchange) {
    return map.orderedKeys().reportUncertain(key -> LeaderGate.requireCertain(exchange, true));
  }

  private void answerPage(HttpServerExchange exchange, KeyQuery query) {
    KeyPage page = query.page(certainKeys(exchange));
    JsonResponses.object(
        exchange,
        json -> {
          json.name("keys").beginArray();
          for (KeyPage.Item item : page.items()) {
            if (!item.isPrefix()) {
              json.value(item.text());
            }
          }
          json.endArray().name("prefixes").beginArray();
          for (KeyPage.Item item : page.items()) {
            if (item.isPrefix()) {
              json.value(item.text());
            }
          }
          json.endArray();
          if (page.next().isPresent()) {
            json.name("cursor").value(Cursor.text(query, page.next().get()));
          }
        });
  }

  void count(HttpServerExchange exchange) {
    String prefix = QueryParameters.of(exchange, COUNT_PARAMETERS).text(PREFIX).orElse("");
    exchange.dispatch(
        ExceptionMapper.mapped(
            LeaderGate.onWorker(
                onWorker -> {
                  long count = KeyQuery.count(certainKeys(onWorker), prefix);
                  JsonResponses.object(onWorker, json -> json.name("count").value(count));
                })));
  }

  /**
   * Deletes some keys and tells where to go on, so that no request takes long or fills the log's
   * queue. The cursor lets a client come to an end, even if others add keys meanwhile.
   */
  void delete(HttpServerExchange exchange) {
    IdempotentWrites.requireNone(
        exchange, "a repeated request deletes what is left; nothing was changed");
    QueryParameters query = QueryParameters.of(exchange, DELETE_PARAMETERS);
    String prefix = prefixToDelete(query);
    int limit = query.number(LIMIT, 1, LIMIT_MAX).orElse((long) LIMIT_MAX).intValue();
    Optional<String> after =
        query.text(CURSOR).map(text -> Cursor.read(text, prefix, Optional.empty()));
    KeyQuery keys = new KeyQuery(prefix, Optional.empty(), after, limit);
    exchange.dispatch(ExceptionMapper.mapped(onWorker -> deletePage(onWorker, keys)));
  }

  // A script whose variable is empty must not delete everything.
  private static String prefixToDelete(QueryParameters query) {
    Optional<String> prefix = query.text(PREFIX);
    boolean isAll = query.text(ALL).isPresent();
    if (isAll && !query.text(ALL).get().equals("true")) {
      throw QueryParameters.invalid(ALL, "true");
    }
    if (isAll == prefix.isPresent() || prefix.filter(String::isEmpty).isPresent()) {
      throw QueryParameters.invalid(PREFIX, "not empty; or else \"all\" must be true");
    }
    return prefix.orElse("");
  }

  private void deletePage(HttpServerExchange exchange, KeyQuery query) throws Exception {
    KeyPage page = query.page(map.orderedKeys());
    List<CompletableFuture<Void>> waiting = new ArrayList<>();
    Optional<String> next = page.next();
    int deleted = 0;
    String last = "";
    for (KeyPage.Item item : page.items()) {
      try {
        PendingWrite<StoredValue> removal = map.removeAsync(item.text());
        deleted += removal.applied() ? 1 : 0;
        waiting.add(removal.durable());
        last = item.text();
      } catch (LogException.Overloaded later) {
        if (waiting.isEmpty()) {
          throw later;
        }
        next = Optional.of(last);
        break;
      }
    }
    int count = deleted;
    Optional<String> cursor = next.map(name -> Cursor.text(query, name));
    DeferredResponses.sendWhenDurable(
        exchange,
        CompletableFuture.allOf(waiting.toArray(CompletableFuture[]::new)),
        done -> answerDeleted(done, count, cursor));
  }

  private static void answerDeleted(
      HttpServerExchange exchange, int count, Optional<String> cursor) {
    JsonResponses.object(
        exchange,
        json -> {
          json.name("deleted").value(count).name("done").value(cursor.isEmpty());
          if (cursor.isPresent()) {
            json.name("cursor").value(cursor.get());
          }
        });
  }

  /**
   * The position at which a listing continues, as clients send it back. It contains a checksum of
   * the prefix and the delimiter of its listing. The rest is the last name without the prefix, in
   * the URL alphabet. The request repeats the prefix, so the cursor omits it. Otherwise a cursor
   * with a long key would not fit into a request head, and the client could not get another page.
   */
  private static final class Cursor {
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    private Cursor() {}

    static String text(KeyQuery query, String last) {
      return listing(query.prefix(), query.delimiter())
          + "."
          + encode(last.substring(query.prefix().length()));
    }

    /** Returns the last name, if the cursor belongs to this listing. */
    static String read(String cursor, String prefix, Optional<String> delimiter) {
      String[] parts = cursor.split("\\.", -1);
      if (parts.length != 2) {
        throw invalid();
      }
      String rest = decode(parts[1]);
      if (!parts[0].equals(listing(prefix, delimiter))) {
        throw QueryParameters.invalid(
            CURSOR, "used with the prefix and the delimiter that it was given for");
      }
      return prefix + rest;
    }

    private static String listing(String prefix, Optional<String> delimiter) {
      CRC32 checksum = new CRC32();
      checksum.update((prefix.length() + "." + prefix + delimiter.orElse("")).getBytes(UTF_8));
      return Long.toHexString(checksum.getValue());
    }

    private static String encode(String text) {
      return ENCODER.encodeToString(text.getBytes(UTF_8));
    }

    private static String decode(String text) {
      try {
        return new String(Base64.getUrlDecoder().decode(text), UTF_8);
      } catch (IllegalArgumentException notBase64) {
        throw invalid();
      }
    }

    private static ProblemException invalid() {
      return QueryParameters.invalid(CURSOR, "one that a listing has answered");
    }
  }
}
