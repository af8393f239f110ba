package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

/**
 * Phi-accrual failure detection (Hayashibara et al., 2004) for one peer. Learns the rhythm of its
 * responses, and computes how unlikely its silence is. A pure function of the times passed in, in
 * nanoseconds of one clock that never goes back. For one thread.
 */
final class PhiAccrualDetector {
  static final long BEAT_NANOS = MILLISECONDS.toNanos(250);
  static final long ACCEPTABLE_PAUSE_NANOS = MILLISECONDS.toNanos(1_000);
  static final long DEVIATION_NANOS_MIN = MILLISECONDS.toNanos(50);
  static final long DEVIATION_NANOS_MAX = MILLISECONDS.toNanos(100);
  static final long SAMPLE_NANOS_MAX = MILLISECONDS.toNanos(400);
  static final int SAMPLES_MAX = 1_000;
  static final int SAMPLES_AT_START = 20;
  static final double PHI_CONVICTED = 8;
  static final double PHI_MAX = 100; // the tail's approximation is meaningless beyond this

  /*
   * The formula and its acceptable pause are Akka's: a logistic approximation of the normal
   * distribution's tail, with the pause added to the mean. Our additions are:
   *
   * - Bounds on what can be learned. With samples of at most 400 ms and a deviation of at most 100
   *   ms, no history moves the conviction beyond 400 ms + pause + 5.23 deviations = 1.93 s. So a
   *   death is detected within 2 s, after any history. A steady rhythm convicts after 1.52 s.
   * - Twenty samples of the expected rhythm at the start, where Akka takes two. The first responses
   *   of a cold JVM come late, and must not dominate the samples.
   * - Only responses are samples. They follow our own heartbeats, so one clock paces them. The
   *   peer's own heartbeats have any offset (or, from other software, any rate). Mixing the two
   *   would halve the mean and inflate the deviation. They end the silence, and do nothing else.
   * - A gap that would have convicted is an outage, not rhythm, so it is not a sample.
   */
  private static final long NEVER = -1;

  private final long[] samplesMicros = new long[SAMPLES_MAX];
  private int samples;
  private int oldest;
  // Exact integers: 10^3 samples of at most 4 * 10^5 us have squares that sum to 1.6 * 10^14.
  private long sumMicros;
  private long sumOfSquares;

  private long lastHeardNanos = NEVER;
  private long lastAnswerNanos = NEVER;

  PhiAccrualDetector() {
    for (int i = 0; i < SAMPLES_AT_START; i++) {
      add(i % 2 == 0 ? BEAT_NANOS - DEVIATION_NANOS_MIN : BEAT_NANOS + DEVIATION_NANOS_MIN);
    }
  }

  /**
   * The peer responded to our heartbeat: a sign of life, and a sample of the time since the last
   * one.
   */
  void onResponse(long atNanos) {
    if (lastAnswerNanos != NEVER && atNanos > lastAnswerNanos) {
      long gapNanos = atNanos - lastAnswerNanos;
      if (phiOf(gapNanos - ACCEPTABLE_PAUSE_NANOS) < PHI_CONVICTED) {
        add(Math.min(gapNanos, SAMPLE_NANOS_MAX));
      }
    }
    lastAnswerNanos = Math.max(lastAnswerNanos, atNanos);
    onHeartbeat(atNanos);
  }

  /** The peer gave another sign of life. */
  void onHeartbeat(long atNanos) {
    lastHeardNanos = Math.max(lastHeardNanos, atNanos);
  }

  /**
   * Discards the current interval: the time until the next response says nothing about the peer.
   */
  void interrupted() {
    lastAnswerNanos = NEVER;
  }

  /**
   * Returns how unlikely the current silence is, after subtracting the acceptable pause; {@link
   * #PHI_MAX} if the peer was never heard from.
   */
  double phi(long nowNanos) {
    return lastHeardNanos == NEVER
        ? PHI_MAX
        : phiOf(nowNanos - lastHeardNanos - ACCEPTABLE_PAUSE_NANOS);
  }

  /**
   * Returns DEAD if phi reaches 8 after subtracting the acceptable pause, or SUSPECT if it reaches
   * 8 without subtracting it.
   */
  PeerState evaluate(long nowNanos) {
    if (phi(nowNanos) >= PHI_CONVICTED) {
      return PeerState.DEAD;
    }
    return phiOf(nowNanos - lastHeardNanos) >= PHI_CONVICTED ? PeerState.SUSPECT : PeerState.ALIVE;
  }

  private double phiOf(long silenceNanos) {
    double deviations = (NANOSECONDS.toMicros(silenceNanos) - meanMicros()) / deviationMicros();
    return Math.min(PHI_MAX, phiOf(deviations));
  }

  /**
   * Returns {@code -log10(1 - F(y))} for the standard normal distribution, with {@code F(y) = 1 /
   * (1 + exp(-x))}. This form neither overflows nor loses digits, for a long or a short silence.
   */
  static double phiOf(double deviations) {
    double x = deviations * (1.5976 + 0.070566 * deviations * deviations);
    return (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))) / Math.log(10);
  }

  double meanMicros() {
    return (double) sumMicros / samples;
  }

  double deviationMicros() {
    double variance = (double) (samples * sumOfSquares - sumMicros * sumMicros) / samples / samples;
    double min = NANOSECONDS.toMicros(DEVIATION_NANOS_MIN);
    double max = NANOSECONDS.toMicros(DEVIATION_NANOS_MAX);
    return Math.max(min, Math.min(max, Math.sqrt(variance)));
  }

  private void add(long sampleNanos) {
    long micros = NANOSECONDS.toMicros(sampleNanos);
    if (samples == SAMPLES_MAX) {
      long dropped = samplesMicros[oldest];
      sumMicros -= dropped;
      sumOfSquares -= dropped * dropped;
    } else {
      samples++;
    }
    samplesMicros[oldest] = micros;
    oldest = (oldest + 1) % SAMPLES_MAX;
    sumMicros += micros;
    sumOfSquares += micros * micros;
  }
}
