package io.pensieve.log.file;

import java.util.function.LongSupplier;

/** The parts of the log that the compactor uses. */
record LogParts(
    LogDirectory directory,
    FreeSpace space,
    RingBuffer ring,
    LogWriter logWriter,
    DurablePosition durablePosition,
    WriteThrottle throttle,
    LogSettings settings,
    LongSupplier nanoTime,
    OperatorLog operator) {}
