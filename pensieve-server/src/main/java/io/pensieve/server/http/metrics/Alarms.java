package io.pensieve.server.http.metrics;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The current problems of a running server. Each alarm prints one line when it begins and one when
 * it ends, and is listed meanwhile. Any thread may use this.
 */
public final class Alarms {
  private final Consumer<String> teller;

  @GuardedBy("this")
  private final Map<Key, ActiveAlarm> raised = new LinkedHashMap<>();

  /** The kinds of alarms. The names are part of the API. */
  public enum Kind {
    /** The log has failed, and accepts no more writes. */
    LOG_FAILED,
    /** The log's volume has no space for another put. */
    LOG_FULL,
    /** The last compaction failed, so the log grows. */
    COMPACTION_FAILED,
    /** The process has few free file descriptors. */
    DESCRIPTORS_SHORT,
    /** A peer dies and returns repeatedly. */
    PEER_FLAPPING,
    /** A member of the cluster has another capacity. */
    CAPACITY_DIFFERS,
    /** The access log cannot be written. */
    ACCESS_LOG_FAILED;

    public String title() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * An active alarm.
   *
   * @param kind the kind of problem
   * @param subject the affected object, if there are several; otherwise empty
   * @param reason a readable reason, without keys and values
   * @param sinceNanos when the alarm began, by {@link System#nanoTime}
   */
  public record ActiveAlarm(Kind kind, String subject, String reason, long sinceNanos) {
    public long sinceMillis() {
      return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
    }
  }

  private record Key(Kind kind, String subject) {}

  /**
   * Creates an empty set of alarms.
   *
   * @param teller receives a line when an alarm begins and when it ends; must not block
   */
  public Alarms(Consumer<String> teller) {
    this.teller = teller;
  }

  /** Returns alarms that print nothing. */
  public static Alarms silent() {
    return new Alarms(line -> {});
  }

  /** Raises an alarm. If it is active already, only replaces the reason. */
  public synchronized void raise(Kind kind, String subject, String reason) {
    Key key = new Key(kind, subject);
    ActiveAlarm before = raised.get(key);
    long sinceNanos = before == null ? System.nanoTime() : before.sinceNanos();
    raised.put(key, new ActiveAlarm(kind, subject, reason, sinceNanos));
    if (before == null) {
      teller.accept(line(key, reason));
    }
  }

  /** Clears an alarm, if it is active. */
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

  /** Returns the active alarms, in the order in which they began. */
  public synchronized List<ActiveAlarm> raised() {
    return List.copyOf(raised.values());
  }
}
