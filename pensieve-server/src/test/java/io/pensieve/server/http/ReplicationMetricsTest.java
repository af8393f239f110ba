package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.metrics.DurationMetric;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The series that only a node of a cluster has. */
final class ReplicationMetricsTest {
  private final FakeReplication replication = new FakeReplication();

  private String scrape() throws Exception {
    DurationMetric commits = new DurationMetric("pensieve_replication_commit_seconds", "Test.");
    commits.record(1_000_000);
    try (ServerUnderTest server =
        ServerUnderTest.replicated(
            1,
            ServerUnderTest.settings(),
            new HttpServer.Replicated(
                replication,
                () -> {
                  throw new AssertionError("no https URL is called");
                },
                commits))) {
      return server.send(server.request("/metrics")).body();
    }
  }

  /**
   * Dashboards and alerts name series. The file has their types, names and labels, as that of a
   * server that does not replicate.
   */
  @Test
  void noSeriesGetsLostOrRenamed() throws Exception {
    replication.leading = true;
    Set<String> now = new TreeSet<>();
    for (String series : MetricsRouteTest.series(scrape())) {
      if (series.contains("pensieve_replication_") || series.contains("pensieve_forwarded_")) {
        now.add(series);
      }
    }
    Path file = Path.of("src/test/resources/metrics/replication-series.txt");
    assertEquals(String.join("\n", Files.readAllLines(file)), String.join("\n", now));
  }

  /** An alert on it would never fire if it were 0 then. */
  @Test
  void theAgeOfASnapshotIsLeftOutWhileThereIsNone() throws Exception {
    assertTrue(scrape().contains("\npensieve_replication_snapshot_age_seconds 60.0\n"));
    replication.snapshotAge = Optional.empty();
    assertFalse(scrape().contains("\npensieve_replication_snapshot_age_seconds "));
  }
}
