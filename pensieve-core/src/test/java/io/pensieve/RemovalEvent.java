package io.pensieve;

/** What a removal listener was told. */
record RemovalEvent(Integer key, Integer value, RemovalCause cause) {}
