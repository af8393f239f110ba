package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.metrics.DurationMetric;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;

/** The alert rules of the examples, held against what a node of a cluster exposes. */
final class AlertRulesTest {
  private static final Path RULES = Path.of("../examples/prometheus/alerts.yaml");
  private static final Pattern EXPRESSION = Pattern.compile("(?m)^ +expr: (.+)$");
  private static final Pattern METRIC =
      Pattern.compile("\\b((?:pensieve|http|process|jvm|cache)_\\w+)(?:\\{(\\w+)[=~!]+)?");

  @Test
  void everyExpressionIsOfMetricsThatThereAre() throws Exception {
    Map<String, Set<String>> exposed = exposed();
    List<String> expressions =
        EXPRESSION.matcher(Files.readString(RULES)).results().map(found -> found.group(1)).toList();
    assertTrue(expressions.size() > 15, expressions::toString);
    Set<String> used = new TreeSet<>();
    for (String expression : expressions) {
      for (MatchResult metric : METRIC.matcher(expression).results().toList()) {
        used.add(metric.group(1));
        Set<String> labels = exposed.getOrDefault(metric.group(1), Set.of("(no such metric)"));
        assertTrue(exposed.containsKey(metric.group(1)), expression);
        if (metric.group(2) != null) {
          assertTrue(labels.contains(metric.group(2)), () -> expression + " of " + labels);
        }
      }
    }
    // What an operator of a cluster expects to be warned of.
    assertEquals(
        Set.of(),
        Stream.of(
                "pensieve_replication_is_leader",
                "pensieve_replication_leader_changes_total",
                "pensieve_replication_commit_seconds_bucket",
                "pensieve_replication_force_seconds",
                "pensieve_replication_member_lag",
                "pensieve_replication_pending_changes",
                "pensieve_replication_snapshot_age_seconds")
            .filter(name -> !used.contains(name))
            .collect(Collectors.toSet()));
  }

  /** The names of all series, with their labels. */
  static Map<String, Set<String>> exposed() throws Exception {
    FakeReplication replication = new FakeReplication();
    replication.leading = true;
    Map<String, Set<String>> series = new TreeMap<>();
    try (ServerUnderTest server =
        ServerUnderTest.replicated(
            1,
            ServerUnderTest.settings(),
            new HttpServer.Replicated(
                replication,
                AlertRulesTest::noTls,
                new DurationMetric("pensieve_replication_commit_seconds", "Test.")))) {
      String ignored = server.send(server.request("/livez")).body();
      for (String line : server.send(server.request("/metrics")).body().lines().toList()) {
        if (line.startsWith("# TYPE ")) {
          series.putIfAbsent(line.split(" ", -1)[2], new TreeSet<>());
        } else if (!line.startsWith("#")) {
          String name = line.replaceFirst("[ {].*", "");
          Set<String> labels = series.computeIfAbsent(name, unused -> new TreeSet<>());
          Pattern.compile("(\\w+)=\"").matcher(line).results().forEach(l -> labels.add(l.group(1)));
        }
      }
    }
    return series;
  }

  private static SSLContext noTls() {
    throw new AssertionError("no https URL is called");
  }
}
