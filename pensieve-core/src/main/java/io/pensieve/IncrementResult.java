package io.pensieve;

/**
 * The result of an increment.
 *
 * @param value the new number
 * @param version the version of the entry that holds it
 */
public record IncrementResult(long value, long version) {}
