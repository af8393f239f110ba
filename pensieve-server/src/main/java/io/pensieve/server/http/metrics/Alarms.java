package io.pensieve.server.http.metrics;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What is wrong with a server while it runs. Each is told in one line when it begins and in one
 * when it ends, and shown in between. May be used from any thread.
 */
public final class Alarms {
  private final Consumer<String> teller;
  private final Map<Key, ActiveAlarm> raised = new LinkedHashMap<>(); // guarded by this

  /** What may be wrong. The names are part of the API. */
  public enum Kind {
    /** The log has failed, and takes no more writes. */
    LOG_FAILED,
    /** There is no room for another put on the log's volume. */
    LOG_FULL,
    /** The log could not be compacted when it last tried, so that it grows. */
    COMPACTION_FAILED,
    /** The process has few file descriptors left. */
    DESCRIPTORS_SHORT,
    /** A peer dies and comes back again and again. */
    PEER_FLAPPING,
    /** The access log cannot be written. */
    ACCESS_LOG_FAILED;

    public String title() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One that is raised.
   *
   * @param kind what is wrong
   * @param subject with which of several; empty where there is only one
   * @param reason in words for people; no key and no value
   * @param sinceNanos when that began, by {@link System#nanoTime}
   */
  public record ActiveAlarm(Kind kind, String subject, String reason, long sinceNanos) {
    public long sinceMillis() {
      return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
    }
  }

  private record Key(Kind kind, String subject) {}

  /**
   * No alarm yet.
   *
   * @param teller takes a line when one begins and when it ends; must not wait
   */
  public Alarms(Consumer<String> teller) {
    this.teller = teller;
  }

  /** Alarms that nobody is told of as they come and go. */
  public static Alarms silent() {
    return new Alarms(line -> {});
  }

  /** Something is wrong. If that is known already, only the reason is taken. */
  public synchronized void raise(Kind kind, String subject, String reason) {
    Key key = new Key(kind, subject);
    ActiveAlarm before = raised.get(key);
    long sinceNanos = before == null ? System.nanoTime() : before.sinceNanos();
    raised.put(key, new ActiveAlarm(kind, subject, reason, sinceNanos));
    if (before == null) {
      teller.accept(line(key, reason));
    }
  }

  /** It is not, or not any more. */
  public synchronized void clear(Kind kind, String subject) {
    Key key = new Key(kind, subject);
    ActiveAlarm over = raised.remove(key);
    if (over != null) {
      teller.accept(line(key, "over after " + over.sinceMillis() + " ms"));
    }
  }

  private static String line(Key key, String what) {
    return Instant.now().truncatedTo(ChronoUnit.MILLIS)
        + " alarm "
        + key.kind().title()
        + (key.subject().isEmpty() ? "" : " " + key.subject())
        + ": "
        + what;
  }

  /** Those that are raised, in the order in which they began. */
  public synchronized List<ActiveAlarm> raised() {
    return List.copyOf(raised.values());
  }
}
