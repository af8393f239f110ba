package io.pensieve.server.cluster;

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
  EACH_RESTARTED {
    @Override
    Repair strike(Cluster cluster, Random random) throws Exception {
      for (Node each : cluster.nodes()) {
        each.terminate();
        each.start().awaitListening();
        cluster.awaitReady();
      }
      return NOTHING;
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
          EACH_RESTARTED);

  /** Those that need one. */
  static final List<Fault> OF_NETWORKS =
      List.of(LEADER_ISOLATED, LEADER_NOT_HEARD, FOLLOWER_ISOLATED, FOLLOWER_NOT_HEARD);

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

  private static Repair paused(Node victim) throws Exception {
    victim.pause();
    return victim::resume;
  }
}
