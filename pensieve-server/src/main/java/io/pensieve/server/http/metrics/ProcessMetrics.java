package io.pensieve.server.http.metrics;

import com.sun.management.UnixOperatingSystemMXBean;
import io.pensieve.server.http.metrics.MetricFamilies.Sample;
import io.prometheus.metrics.instrumentation.jvm.JvmGarbageCollectorMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmMemoryMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/**
 * The metrics that the JVM and the operating system report about this process. Memory and garbage
 * collections are read by the Prometheus library. Its {@code ProcessMetrics} does not fit: with no
 * free file descriptor it omits {@code process_open_fds}, just when it matters.
 */
public final class ProcessMetrics {
  private static final double MILLIS_PER_SECOND = 1e3;
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final PrometheusRegistry JVM = new PrometheusRegistry();

  static {
    JvmMemoryMetrics.builder().register(JVM);
    JvmGarbageCollectorMetrics.builder().register(JVM);
  }

  private ProcessMetrics() {}

  /**
   * Loads the library's classes, which takes some 60 ms: for a thread that nothing waits for. A
   * class that is loaded by the first scrape, when memory is short, would stay broken for good.
   */
  public static void load() {
    MetricFamilies families = new MetricFamilies();
    addTo(families);
    families.add(
        HistogramSnapshot.builder()
            .name("loaded")
            .dataPoint(new LatencyHistogram().snapshot(Labels.EMPTY))
            .build());
    try {
      byte[] ignored = families.text();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible); // it writes to memory
    }
  }

  public static void addTo(MetricFamilies out) {
    JVM.scrape().forEach(out::add);
    out.gauge(
            "jvm_buffer_memory_used_bytes",
            "Memory of buffers outside the heap.",
            ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .map(pool -> Sample.of(pool.getMemoryUsed(), "id", pool.getName()))
                .toList())
        .gauge(
            "jvm_threads_live_threads",
            "Threads, daemons included.",
            ManagementFactory.getThreadMXBean().getThreadCount())
        .gauge(
            "process_start_time_seconds",
            "When this process started, since 1970.",
            ManagementFactory.getRuntimeMXBean().getStartTime() / MILLIS_PER_SECOND);
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      FileDescriptors files = FileDescriptors.ofProcess();
      out.counter(
              "process_cpu_seconds_total",
              "Processor time of this process.",
              system.getProcessCpuTime() / NANOS_PER_SECOND)
          .gauge("process_open_fds", "Open files.", files.open())
          .gauge("process_max_fds", "Open files at most.", files.max());
    }
  }
}
