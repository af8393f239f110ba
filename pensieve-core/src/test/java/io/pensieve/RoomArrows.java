package io.pensieve;

import java.util.Map;
import java.util.Set;

/** Which room of the house sees which: what {@link HouseRulesTest} holds sources to. */
final class RoomArrows {
  /** What each room sees of the others. A new room needs its arrows drawn here. */
  static final Map<String, Set<String>> ALL =
      Map.ofEntries(
          Map.entry(
              "io.pensieve",
              Set.of(
                  "io.pensieve.annotation",
                  "io.pensieve.log",
                  "io.pensieve.log.file",
                  "io.pensieve.lru")),
          Map.entry(
              "io.pensieve.bench",
              Set.of("io.pensieve", "io.pensieve.log", "io.pensieve.log.file")),
          Map.entry(
              "io.pensieve.bench.cluster",
              Set.of(
                  "io.pensieve.bench",
                  "io.pensieve.replication.consensus",
                  "io.pensieve.replication.ratis")),
          Map.entry("io.pensieve.bench.http", Set.of("io.pensieve.bench")),
          Map.entry(
              "io.pensieve.examples",
              Set.of("io.pensieve", "io.pensieve.log", "io.pensieve.log.file")),
          Map.entry("io.pensieve.annotation", Set.of()),
          Map.entry("io.pensieve.log", Set.of("io.pensieve.annotation")),
          Map.entry("io.pensieve.log.file", Set.of("io.pensieve.annotation", "io.pensieve.log")),
          Map.entry("io.pensieve.lru", Set.of("io.pensieve.annotation")),
          Map.entry(
              "io.pensieve.replication",
              Set.of(
                  "io.pensieve.annotation",
                  "io.pensieve.log",
                  "io.pensieve.log.file",
                  "io.pensieve.replication.consensus",
                  "io.pensieve.replication.format")),
          Map.entry("io.pensieve.replication.consensus", Set.of()),
          Map.entry(
              "io.pensieve.replication.format",
              Set.of("io.pensieve.log", "io.pensieve.replication.consensus")),
          Map.entry("io.pensieve.replication.grpc", Set.of("io.pensieve.annotation")),
          Map.entry(
              "io.pensieve.replication.ratis",
              Set.of("io.pensieve.replication.consensus", "io.pensieve.replication.grpc")),
          Map.entry(
              "io.pensieve.server",
              Set.of(
                  "io.pensieve",
                  "io.pensieve.log",
                  "io.pensieve.log.file",
                  "io.pensieve.replication.ratis",
                  "io.pensieve.server.backup",
                  "io.pensieve.server.client",
                  "io.pensieve.server.command",
                  "io.pensieve.server.http",
                  "io.pensieve.server.http.access",
                  "io.pensieve.server.http.admin",
                  "io.pensieve.server.http.metrics",
                  "io.pensieve.server.http.protocol",
                  "io.pensieve.server.http.replication",
                  "io.pensieve.server.http.transport",
                  "io.pensieve.server.http.value",
                  "io.pensieve.server.peers",
                  "io.pensieve.server.process",
                  "io.pensieve.server.replication",
                  "io.pensieve.server.tools")),
          Map.entry(
              "io.pensieve.server.process",
              Set.of(
                  "io.pensieve.log",
                  "io.pensieve.server.http.metrics",
                  "io.pensieve.server.peers")),
          Map.entry(
              "io.pensieve.server.tools",
              Set.of(
                  "io.pensieve.log",
                  "io.pensieve.log.file",
                  "io.pensieve.server.backup",
                  "io.pensieve.server.http.value")),
          Map.entry("io.pensieve.server.backup", Set.of()),
          Map.entry("io.pensieve.server.client", Set.of()),
          Map.entry("io.pensieve.server.command", Set.of("io.pensieve.server.client")),
          Map.entry(
              "io.pensieve.server.http",
              Set.of(
                  "io.pensieve",
                  "io.pensieve.log",
                  "io.pensieve.server.http.access",
                  "io.pensieve.server.http.admin",
                  "io.pensieve.server.http.changes",
                  "io.pensieve.server.http.json",
                  "io.pensieve.server.http.metrics",
                  "io.pensieve.server.http.protocol",
                  "io.pensieve.server.http.replication",
                  "io.pensieve.server.http.transport",
                  "io.pensieve.server.http.ui",
                  "io.pensieve.server.http.value")),
          Map.entry("io.pensieve.server.http.access", Set.of("io.pensieve.server.http.json")),
          Map.entry(
              "io.pensieve.server.http.admin",
              Set.of(
                  "io.pensieve",
                  "io.pensieve.log",
                  "io.pensieve.server.backup",
                  "io.pensieve.server.http.json",
                  "io.pensieve.server.http.protocol",
                  "io.pensieve.server.http.transport",
                  "io.pensieve.server.http.value")),
          Map.entry(
              "io.pensieve.server.http.changes",
              Set.of(
                  "io.pensieve",
                  "io.pensieve.log",
                  "io.pensieve.server.http.json",
                  "io.pensieve.server.http.protocol",
                  "io.pensieve.server.http.replication",
                  "io.pensieve.server.http.transport",
                  "io.pensieve.server.http.value")),
          Map.entry(
              "io.pensieve.server.http.json",
              Set.of("io.pensieve", "io.pensieve.log", "io.pensieve.server.http.value")),
          Map.entry("io.pensieve.server.http.metrics", Set.of()),
          Map.entry(
              "io.pensieve.server.http.protocol",
              Set.of(
                  "io.pensieve.log",
                  "io.pensieve.server.http.json",
                  "io.pensieve.server.http.value")),
          Map.entry(
              "io.pensieve.server.http.replication",
              Set.of(
                  "io.pensieve.server.http.json",
                  "io.pensieve.server.http.protocol",
                  "io.pensieve.server.http.value")),
          Map.entry(
              "io.pensieve.server.http.transport",
              Set.of(
                  "io.pensieve.server.http.access",
                  "io.pensieve.server.http.json",
                  "io.pensieve.server.http.metrics",
                  "io.pensieve.server.http.protocol",
                  "io.pensieve.server.http.replication")),
          Map.entry(
              "io.pensieve.server.http.ui",
              Set.of("io.pensieve.server.http.json", "io.pensieve.server.http.protocol")),
          Map.entry("io.pensieve.server.http.value", Set.of("io.pensieve", "io.pensieve.log")),
          Map.entry("io.pensieve.server.peers", Set.of()),
          Map.entry(
              "io.pensieve.server.replication",
              Set.of(
                  "io.pensieve.log",
                  "io.pensieve.log.file",
                  "io.pensieve.replication",
                  "io.pensieve.replication.consensus",
                  "io.pensieve.replication.format",
                  "io.pensieve.replication.ratis",
                  "io.pensieve.server.http.replication",
                  "io.pensieve.server.http.value")),
          Map.entry("io.pensieve.examples.cluster", Set.of()));

  private RoomArrows() {}
}
