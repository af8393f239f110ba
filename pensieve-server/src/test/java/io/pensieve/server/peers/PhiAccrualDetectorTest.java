package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.DAYS;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiAccrualDetectorTest {
  private final PhiAccrualDetector detector = new PhiAccrualDetector();
  private long lastMillis;

  @ParameterizedTest
  @CsvSource({
    // deviations, phi as another program computes it from the logistic approximation
    "-3, 0.000535275",
    "-1, 0.075033032",
    "0, 0.301029996",
    "1, 0.799508321",
    "2, 1.642827886",
    "3, 2.909475325",
    "5, 7.299947394",
  })
  void phiIsTheFormula(double deviations, double phi) {
    assertEquals(phi, PhiAccrualDetector.phiOf(deviations), 1e-8);
  }

  @ParameterizedTest
  @CsvSource({
    // deviations, probability that a normal variable is larger
    "0, 0.5",
    "1, 0.158655",
    "2, 0.0227501",
    "3, 0.00134990",
    "5, 2.86652e-7",
  })
  void phiIsTheTailOfTheNormalDistribution(double deviations, double tail) {
    double phi = -Math.log10(tail);
    // The approximation's own error, which grows with the distance.
    assertEquals(phi, PhiAccrualDetector.phiOf(deviations), phi * 0.12);
  }

  @Test
  void steadyAnswersConvictAfterMeanAndPauseAndFiveDeviations() {
    answersEvery(250, 2_000);
    // 250 + 1000 + 5.2260 * 50 = 1511.3
    assertEquals(PeerState.SUSPECT, stateAfterSilenceOf(1_511));
    assertEquals(PeerState.DEAD, stateAfterSilenceOf(1_512));
  }

  @Test
  void theFirstAnswerIsJudgedByTheExpectedRhythm() {
    answersEvery(250, 1);
    assertEquals(PeerState.SUSPECT, stateAfterSilenceOf(1_511));
    assertEquals(PeerState.DEAD, stateAfterSilenceOf(1_512));
  }

  @Test
  void withoutThePauseTheSameSilenceIsOnlySuspect() {
    answersEvery(250, 2_000);
    // 250 + 5.2260 * 50 = 511.3
    assertEquals(PeerState.ALIVE, stateAfterSilenceOf(511));
    assertEquals(PeerState.SUSPECT, stateAfterSilenceOf(512));
  }

  @Test
  void halfOfAllSilencesIsLongerThanMeanAndPause() {
    answersEvery(250, 2_000);
    assertEquals(Math.log10(2), phiAfterSilenceOf(1_250), 1e-9);
  }

  @Test
  void aSilentPeerIsDeadBeforeItIsEverHeardFrom() {
    assertEquals(PeerState.DEAD, stateAfterSilenceOf(0));
    assertEquals(PhiAccrualDetector.PHI_MAX, phiAfterSilenceOf(0));
  }

  @Test
  void phiStaysFiniteForEver() {
    answersEvery(250, 10);
    assertEquals(PhiAccrualDetector.PHI_MAX, phiAfterSilenceOf(DAYS.toMillis(10_000)));
    assertEquals(0, phiAfterSilenceOf(0), 1e-9);
  }

  @Test
  void meanAndDeviationAreThoseOfTheWindow() {
    for (int i = 0; i < PhiAccrualDetector.SAMPLES_MAX; i++) {
      answersEvery(i % 2 == 0 ? 220 : 380, 1);
    }
    answersEvery(220, 1); // the first answer of all made no sample
    assertEquals(300_000, detector.meanMicros(), 1e-6);
    assertEquals(80_000, detector.deviationMicros(), 1e-6);
  }

  @Test
  void theWindowForgetsWhatIsOld() {
    answersEvery(380, 3_000);
    answersEvery(250, PhiAccrualDetector.SAMPLES_MAX);
    assertEquals(250_000, detector.meanMicros(), 1e-6);
    assertEquals(50_000, detector.deviationMicros(), 1e-6);
  }

  @Test
  void deviationIsAtMostItsCap() {
    for (int i = 0; i < 2_000; i++) {
      answersEvery(i % 2 == 0 ? 50 : 400, 1);
    }
    assertEquals(100_000, detector.deviationMicros(), 1e-6);
  }

  @Test
  void noHistoryMovesTheConvictionBeyondTwoSeconds() {
    for (int i = 0; i < 5_000; i++) {
      answersEvery(i % 3 == 0 ? 1 : 1_500, 1);
      assertEquals(PeerState.DEAD, stateAfterSilenceOf(1_923));
    }
  }

  @Test
  void anOutageIsNoSample() {
    answersEvery(250, 100);
    double mean = detector.meanMicros();
    answersEvery(60_000, 1);
    assertEquals(mean, detector.meanMicros());
    answersEvery(400, 1);
    assertTrue(detector.meanMicros() > mean);
  }

  @Test
  void theIntervalAfterAnInterruptionIsNoSample() {
    answersEvery(250, 100);
    double mean = detector.meanMicros();
    detector.interrupted();
    answersEvery(400, 1);
    assertEquals(mean, detector.meanMicros());
  }

  @Test
  void otherSignsOfLifeEndTheSilenceAndAreNoSamples() {
    answersEvery(250, 100);
    double mean = detector.meanMicros();
    lastMillis += 1_000;
    detector.onHeartbeat(MILLISECONDS.toNanos(lastMillis));
    assertEquals(mean, detector.meanMicros());
    assertEquals(PeerState.ALIVE, stateAfterSilenceOf(511));
  }

  private void answersEvery(long millis, int times) {
    for (int i = 0; i < times; i++) {
      lastMillis += millis;
      detector.onResponse(MILLISECONDS.toNanos(lastMillis));
    }
  }

  private PeerState stateAfterSilenceOf(long millis) {
    return detector.evaluate(MILLISECONDS.toNanos(lastMillis + millis));
  }

  private double phiAfterSilenceOf(long millis) {
    return detector.phi(MILLISECONDS.toNanos(lastMillis + millis));
  }
}
