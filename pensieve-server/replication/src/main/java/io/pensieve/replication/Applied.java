package io.pensieve.replication;

import io.pensieve.replication.consensus.LogPosition;

/**
 * How much of the cluster's log the map has.
 *
 * @param position the last entry that was applied as a whole
 * @param chain the end of the chain there
 */
record Applied(LogPosition position, ChainEnd chain) {
  static final Applied NOTHING = new Applied(new LogPosition(0, 0), ChainEnd.START);
}
