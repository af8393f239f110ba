package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

/**
 * Phi-accrual failure detection (Hayashibara et al., 2004) for one peer: learns the rhythm of its
 * answers and says how unlikely its silence is. A pure function of the times it is told, in
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
  static final double PHI_MAX = 100; // the tail's approximation means nothing beyond

  /*
   * The formula, and the acceptable pause in it, are Akka's: the normal distribution's tail by its
   * logistic approximation, with the pause added to the mean. Ours are:
   *
   * - Bounds on what can be learned. With samples of at most 400 ms and a deviation of at most
   *   100 ms, no history moves the conviction beyond 400 ms + pause + 5.23 deviations = 1.93 s: a
   *   death is seen within 2 s, whatever came before it. A steady rhythm convicts after 1.52 s.
   * - Twenty samples of the expected rhythm at the start, where Akka takes two: the first answers
   *   of a cold JVM come late, and must not be most of what is known.
   * - Only answers are samples. They follow our own beats, so one clock paces them; the peer's own
   *   beats run beside them at any offset (or, from other software, at any rate), and mixing the
   *   two would halve the mean and blow up the deviation. They end the silence, and no more.
   * - A gap that would have convicted is an outage, not rhythm, and is no sample.
   */
  private static final long NEVER = -1;

  private final long[] samplesMicros = new long[SAMPLES_MAX];
  private int samples;
  private int oldest;
  // Kept as exact integers: 10^3 samples of at most 4 * 10^5 us have squares of 1.6 * 10^14 in sum.
  private long sumMicros;
  private long sumOfSquares;

  private long lastHeardNanos = NEVER;
  private long lastAnswerNanos = NEVER;

  PhiAccrualDetector() {
    for (int i = 0; i < SAMPLES_AT_START; i++) {
      add(i % 2 == 0 ? BEAT_NANOS - DEVIATION_NANOS_MIN : BEAT_NANOS + DEVIATION_NANOS_MIN);
    }
  }

  /** The peer answered our beat: a sign of life and, with the answer before it, a sample. */
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

  /** The interval from the last answer to the next one says nothing about the peer. */
  void interrupted() {
    lastAnswerNanos = NEVER;
  }

  /**
   * How unlikely the silence until now is, the acceptable pause forgiven; {@link #PHI_MAX} if
   * nothing was ever heard.
   */
  double phi(long nowNanos) {
    return lastHeardNanos == NEVER
        ? PHI_MAX
        : phiOf(nowNanos - lastHeardNanos - ACCEPTABLE_PAUSE_NANOS);
  }

  /**
   * Dead when even with the acceptable pause forgiven phi reaches 8; suspect when it does without.
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
   * {@code -log10(1 - F(y))} for the standard normal distribution, with {@code F(y) = 1 / (1 +
   * exp(-x))}. Written so that neither a long nor a short silence overflows or loses digits.
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
