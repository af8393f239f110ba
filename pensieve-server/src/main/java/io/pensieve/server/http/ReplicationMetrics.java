package io.pensieve.server.http;

import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.metrics.MetricFamilies;
import io.pensieve.server.http.metrics.MetricFamilies.Sample;
import io.pensieve.server.http.replication.Forwarder;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.replication.ReplicationState;
import java.time.Duration;
import java.util.List;

/** The metrics that only a node of a cluster has. */
final class ReplicationMetrics {
  private static final double MILLIS_PER_SECOND = 1000;
  private static final double NANOS_PER_SECOND = 1e9;

  private final Replication replication;
  private final Forwarder forwarder;
  private final DurationMetric commits;

  ReplicationMetrics(LeaderGate gate, DurationMetric commits) {
    this.replication = gate.replication();
    this.forwarder = gate.forwarder();
    this.commits = commits;
  }

  void addTo(MetricFamilies out) {
    ReplicationState state = replication.state();
    out.gauge(
            "pensieve_replication_is_leader",
            "1 if this node executes the writes of its cluster.",
            replication.isLeading() ? 1 : 0)
        .gauge(
            "pensieve_replication_has_leader",
            "1 if this node knows who leads.",
            state.leader().isPresent() ? 1 : 0)
        .counter(
            "pensieve_replication_leader_changes_total",
            "Leaders that this node has seen begin.",
            state.leaderChanges())
        .gauge("pensieve_replication_term", "The current term.", state.term())
        .gauge(
            "pensieve_replication_commit_index",
            "Up to which entry a majority has them.",
            state.committedIndex())
        .gauge(
            "pensieve_replication_applied_index",
            "Up to which entry they are applied here.",
            state.appliedIndex())
        .gauge(
            "pensieve_replication_pending_changes",
            "Changes that wait for a majority.",
            state.pendingChanges())
        .gauge(
            "pensieve_replication_pending_bytes",
            "Bytes of the changes that wait for a majority.",
            state.pendingBytes());
    addSnapshot(out, state);
    addMembers(out, state);
    addForwarding(out);
    commits.addTo(out);
    Replication.Forces forces = replication.forces();
    out.summary(
        "pensieve_replication_force_seconds",
        "How long this node's disk takes to force the log of its cluster.",
        forces.count(),
        forces.median().toNanos() / NANOS_PER_SECOND,
        forces.percentile99().toNanos() / NANOS_PER_SECOND);
  }

  private void addSnapshot(MetricFamilies out, ReplicationState state) {
    out.gauge(
            "pensieve_replication_staleness_seconds",
            "How far a stale read here may be behind.",
            samples(replication.staleness().stream().map(ReplicationMetrics::seconds).toList()))
        .gauge(
            "pensieve_replication_snapshot_age_seconds",
            "Since the last snapshot.",
            samples(state.snapshotAge().stream().map(ReplicationMetrics::seconds).toList()))
        .gauge(
            "pensieve_replication_snapshot_bytes",
            "Size of the last snapshot.",
            state.snapshotBytes());
  }

  private static List<Sample> samples(List<Double> values) {
    return values.stream().map(Sample::of).toList();
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / MILLIS_PER_SECOND;
  }

  private static void addMembers(MetricFamilies out, ReplicationState state) {
    out.gauge(
        "pensieve_replication_member_lag",
        "Entries that a member is behind, on the leader.",
        state.members().stream()
            .filter(member -> member.lag() >= 0)
            .map(member -> Sample.of(member.lag(), "member", member.id()))
            .toList());
  }

  private void addForwarding(MetricFamilies out) {
    out.counter(
            "pensieve_forwarded_requests_total",
            "Requests that this node forwarded to the leader.",
            forwarder.forwarded())
        .counter(
            "pensieve_forwarded_requests_resent_total",
            "Times that a forwarded request was sent again.",
            forwarder.resent())
        .counter(
            "pensieve_forwarded_requests_unknown_total",
            "Forwarded requests whose outcome is unknown.",
            forwarder.unknownOutcomes());
  }
}
