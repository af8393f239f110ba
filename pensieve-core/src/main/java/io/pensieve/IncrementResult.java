package io.pensieve;

/**
 * What an increment has made of a key.
 *
 * @param value the number that it has now
 * @param version the version of the entry that has it
 */
public record IncrementResult(long value, long version) {}
