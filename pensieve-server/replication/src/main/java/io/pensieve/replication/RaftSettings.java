package io.pensieve.replication;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** The settings of a log, as its builder has checked them. */
record RaftSettings(
    int entriesUnderWay,
    int changesPerEntry,
    int bytesPerEntry,
    int maximumChangeBytes,
    long mapEntries,
    int waitingChanges,
    long waitingBytes,
    int recentChanges,
    long recentBytes,
    long snapshotChanges,
    long snapshotBytes,
    Duration snapshotTime,
    int requestIds,
    Duration requestTime,
    Consumer<Throwable> onFailure,
    Consumer<String> onEvent,
    LongConsumer onCommit,
    InstantSource clock,
    LongSupplier nanoTime) {}
