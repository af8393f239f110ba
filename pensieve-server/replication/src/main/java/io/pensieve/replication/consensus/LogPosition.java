package io.pensieve.replication.consensus;

/**
 * The place of an entry in the log of a cluster.
 *
 * @param term the term of the leader that made it
 * @param index its number, from 1
 */
public record LogPosition(long term, long index) {}
