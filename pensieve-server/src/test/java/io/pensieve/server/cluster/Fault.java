package io.pensieve.server.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** What may happen to a cluster. While it lasts, a majority of the nodes can still speak. */
enum Fault {
  LEADER_KILLED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      return killed(List.of(cluster.leader()));
    }
  },
  FOLLOWER_KILLED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      return killed(List.of(cluster.follower()));
    }
  },
  /** All at once. They come back at once: there is no majority meanwhile. */
  ALL_KILLED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      List<Node> all = new ArrayList<>(cluster.nodes());
      Collections.shuffle(all, random);
      Repair restart = killed(all);
      restart.run();
      return NOTHING;
    }
  },
  LEADER_STOPPED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      Node leader = cluster.leader();
      int status = leader.terminate();
      if (status != 0) {
        throw new AssertionError(leader + " ended with " + status + ": " + leader.printed());
      }
      return () -> leader.start().awaitListening();
    }
  },
  LEADER_PAUSED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      return paused(cluster.leader());
    }
  },
  FOLLOWER_PAUSED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      return paused(cluster.follower());
    }
  },
  /** One after the other. No write is lost that is sent again once. */
  EACH_RESTARTED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.awaitReady();
      try (RetryingClient client = new RetryingClient(cluster.nodes())) {
        for (Node each : cluster.nodes()) {
          each.terminate();
          each.start().awaitListening();
          cluster.awaitReady();
        }
        client.stop();
      }
      return NOTHING;
    }
  },
  /** It is away until nobody has the part of the log any more that it lacks. */
  FOLLOWER_LEFT_BEHIND {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      Node victim = cluster.follower();
      Repair restart = killed(List.of(victim));
      ForgottenLog.forgetWhatIsMissingAt(victim, cluster);
      return restart;
    }
  },
  LEADER_EMPTIED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.awaitReady(); // two lost disks are too many
      return emptied(cluster, cluster.leader());
    }
  },
  FOLLOWER_EMPTIED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.awaitReady();
      return emptied(cluster, cluster.follower());
    }
  },
  /** Any member, also the leader. */
  MEMBER_REMOVED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.awaitReady();
      Node victim = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
      new Members(cluster).remove(victim);
      return () -> {
        victim.terminate();
        victim.emptyFolder();
        new Members(cluster).bringBackEmptied(victim);
      };
    }
  },
  /** Needs a network, as the ones below. */
  LEADER_ISOLATED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.network().isolate(cluster.leader().id());
      return cluster.network()::heal;
    }
  },
  FOLLOWER_ISOLATED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.network().isolate(cluster.follower().id());
      return cluster.network()::heal;
    }
  },
  /** What the leader sends is lost, to both or to one. */
  LEADER_NOT_HEARD {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      int leader = cluster.leader().id();
      boolean isHeardByOne = random.nextBoolean();
      for (Node each : cluster.nodes()) {
        if (each.id() != leader && !(isHeardByOne && each == cluster.follower())) {
          cluster.network().cut(leader, each.id());
        }
      }
      return cluster.network()::heal;
    }
  },
  /** What a follower sends to the leader is lost. */
  FOLLOWER_NOT_HEARD {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.network().cut(cluster.follower().id(), cluster.leader().id());
      return cluster.network()::heal;
    }
  },
  FOLLOWER_ISOLATED_AND_LEFT_BEHIND {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      cluster.awaitReady();
      Node victim = cluster.follower();
      cluster.network().isolate(victim.id());
      ForgottenLog.forgetWhatIsMissingAt(victim, cluster);
      return cluster.network()::heal;
    }
  },
  /** Needs a disk of its own for each node. */
  LEADER_DISK_FULL {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      return full(cluster.leader(), random);
    }
  },
  FOLLOWER_DISK_FULL {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      return full(cluster.follower(), random);
    }
  },
  /** Needs a machine of its own for each node, as the one below. */
  DISK_SLOW {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      Machine machine = (random.nextBoolean() ? cluster.leader() : cluster.follower()).machine();
      machine.delayForces(Duration.ofMillis(random.nextInt(SLOWNESS_MILLIS_MAX)));
      return () -> machine.delayForces(Duration.ZERO);
    }
  },
  /** It stays wrong, until it is set again. */
  CLOCK_SET {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      Node node = random.nextBoolean() ? cluster.leader() : cluster.follower();
      int millis = random.nextInt(2 * CLOCK_MILLIS_MAX) - CLOCK_MILLIS_MAX;
      node.machine().setClockAhead(Duration.ofMillis(millis));
      return NOTHING;
    }
  };

  /** Those that need no network. */
  static final List<Fault> OF_PROCESSES =
      List.of(
          LEADER_KILLED,
          LEADER_PAUSED,
          ALL_KILLED,
          LEADER_STOPPED,
          FOLLOWER_KILLED,
          FOLLOWER_PAUSED,
          EACH_RESTARTED,
          FOLLOWER_LEFT_BEHIND,
          FOLLOWER_EMPTIED,
          LEADER_EMPTIED,
          MEMBER_REMOVED);

  /** Those that need one. */
  static final List<Fault> OF_NETWORKS =
      List.of(
          LEADER_ISOLATED,
          LEADER_NOT_HEARD,
          FOLLOWER_ISOLATED,
          FOLLOWER_NOT_HEARD,
          FOLLOWER_ISOLATED_AND_LEFT_BEHIND);

  /** Those that need disks. */
  static final List<Fault> OF_DISKS = List.of(LEADER_DISK_FULL, FOLLOWER_DISK_FULL);

  /** Those that need machines. */
  static final List<Fault> OF_MACHINES = List.of(DISK_SLOW, CLOCK_SET);

  private static final int SLOWNESS_MILLIS_MAX = 700;
  private static final int CLOCK_MILLIS_MAX = 3_600_000;
  private static final int LITTLE_MIB = 64; // less than the reserve

  private static final Repair NOTHING = () -> {};

  /** Makes good what a fault has done. */
  interface Repair {
    void run() throws Exception;
  }

  /** Makes it happen. */
  abstract Repair strike(Cluster cluster, Random random) throws Exception;

  private static Repair killed(List<Node> victims) throws Exception {
    for (Node each : victims) {
      each.process().kill();
    }
    for (Node each : victims) {
      each.process().awaitExit();
    }
    return () -> {
      for (Node each : victims) {
        each.start();
      }
      for (Node each : victims) {
        each.awaitListening();
      }
    };
  }

  private static Repair emptied(Cluster cluster, Node victim) throws Exception {
    victim.kill();
    victim.emptyFolder();
    return () -> new Members(cluster).bringBackEmptied(victim);
  }

  /** Nothing is left, or little: it ends by itself, and is started again once there is room. */
  private static Repair full(Node victim, Random random) throws Exception {
    victim.disk().fillUpTo(random.nextBoolean() ? 0 : LITTLE_MIB);
    int status = victim.process().awaitExit();
    if (status == 0) {
      throw new AssertionError(victim + " ended with 0: " + victim.printed());
    }
    return () -> {
      victim.disk().free();
      victim.start().awaitListening();
    };
  }

  private static Repair paused(Node victim) throws Exception {
    victim.pause();
    return victim::resume;
  }
}
