package io.pensieve;

/** What a removal listener was told. */
record Departed(Integer key, Integer value, RemovalCause cause) {}
