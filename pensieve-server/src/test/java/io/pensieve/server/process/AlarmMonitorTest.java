package io.pensieve.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.FileDescriptors;
import io.pensieve.server.peers.PeerState;
import io.pensieve.server.peers.PeerStateChange;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What is wrong is told in one line when it begins, and in one when it ends. */
final class AlarmMonitorTest {
  private static final Pattern LINE = Pattern.compile("\\S+Z alarm (.*)");

  private final List<String> told = new ArrayList<>();
  private final Alarms alarms = new Alarms(told::add);
  private Optional<String> compaction = Optional.empty();
  private Optional<String> failure = Optional.empty();
  private Optional<String> refusal = Optional.empty();
  private long open;
  private long nowNanos;
  private final FlapDetector flapping = new FlapDetector(alarms, () -> nowNanos);

  private final AlarmMonitor watch =
      new AlarmMonitor(
          alarms,
          this::statistics,
          () -> new FileDescriptors(open, 1000),
          flapping::reportSettled,
          Duration.ofHours(1));

  private LogStatistics statistics() {
    return new LogStatistics(
        0,
        0,
        0,
        Duration.ZERO,
        Duration.ZERO,
        0,
        0,
        0,
        0,
        Duration.ZERO,
        compaction,
        Duration.ZERO,
        failure,
        refusal,
        0,
        0);
  }

  private List<String> look() {
    told.clear();
    watch.look();
    watch.look();
    return told.stream().map(AlarmMonitorTest::withoutTimes).toList();
  }

  private static String withoutTimes(String line) {
    var matcher = LINE.matcher(line);
    assertTrue(matcher.matches(), line);
    return matcher.group(1).replaceAll("after \\d+ ms", "after a while");
  }

  @Test
  void aDiskThatIsFullIsToldOnceAndThatItIsNotAnyMore() {
    assertEquals(List.of(), look());
    refusal = Optional.of("/data: free space of 3 MiB");
    assertEquals(List.of("log_full: /data: free space of 3 MiB"), look());
    refusal = Optional.of("/data: free space of 2 MiB");
    assertEquals(List.of(), look(), "the same, in other words");
    refusal = Optional.empty();
    assertEquals(List.of("log_full: over after a while"), look());
  }

  @Test
  void aLogThatHasFailedIsNotAlsoFull() {
    failure = Optional.of("the disk is gone");
    refusal = failure;
    compaction = Optional.of("no room");
    assertEquals(List.of("log_failed: the disk is gone", "compaction_failed: no room"), look());
    compaction = Optional.empty();
    assertEquals(List.of("compaction_failed: over after a while"), look());
  }

  @Test
  void fewDescriptorsAreTold() {
    open = 900;
    assertEquals(List.of(), look());
    open = 901;
    assertEquals(List.of("descriptors_short: 901 of 1000 file descriptors are in use"), look());
    open = 100;
    assertEquals(List.of("descriptors_short: over after a while"), look());
  }

  @Test
  void aPeerThatFlapsIsOneAlarm() {
    URI url = URI.create("http://b:1");
    int news = 0;
    for (int i = 0; i < 100; i++) {
      nowNanos += Duration.ofSeconds(1).toNanos();
      news += shouldReport(url, i % 2 == 0 ? PeerState.DEAD : PeerState.ALIVE) ? 1 : 0;
    }
    assertEquals(4, news, "two deaths and two returns");
    assertEquals(1, told.size());
    assertTrue(told.get(0).contains("peer_flapping http://b:1: died 3 times within 60 s"));
    nowNanos += FlapDetector.WINDOW_NANOS;
    assertEquals(List.of(), look());
    nowNanos++;
    assertEquals(List.of("peer_flapping http://b:1: over after a while"), look());
    assertTrue(shouldReport(url, PeerState.DEAD));
  }

  @Test
  void aPeerThatDiesNowAndThenDoesNotFlap() {
    URI url = URI.create("http://b:1");
    for (int i = 0; i < 100; i++) {
      nowNanos += FlapDetector.WINDOW_NANOS / 2 + 1;
      assertTrue(shouldReport(url, PeerState.DEAD));
      assertTrue(shouldReport(url, PeerState.ALIVE));
    }
    assertEquals(List.of(), look());
  }

  private boolean shouldReport(URI url, PeerState to) {
    return flapping.shouldReport(
        new PeerStateChange(
            url,
            OptionalLong.empty(),
            PeerState.SUSPECT,
            to,
            OptionalLong.empty(),
            Optional.empty()));
  }
}
