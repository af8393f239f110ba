package io.pensieve.server.http.metrics;

import static io.pensieve.server.http.metrics.PrometheusText.Kind.GAUGE;
import static io.pensieve.server.http.metrics.PrometheusText.Kind.SUMMARY;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.RuntimeMXBean;
import java.util.List;

/** The metrics that the JVM and the operating system report about this process. */
public final class ProcessMetrics {
  private static final String AREA = "area";
  private static final double MILLIS_PER_SECOND = 1e3;

  private ProcessMetrics() {}

  public static void write(PrometheusText out) {
    writeMemory(out);
    writeCollections(out);
    out.gauge(
        "jvm_threads_live_threads",
        "Threads, daemons included.",
        ManagementFactory.getThreadMXBean().getThreadCount());
    writeProcess(out);
  }

  private static void writeMemory(PrometheusText out) {
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    MemoryUsage heap = memory.getHeapMemoryUsage();
    MemoryUsage nonHeap = memory.getNonHeapMemoryUsage();
    out.family("jvm_memory_used_bytes", GAUGE, "Memory that the JVM uses.")
        .sample(heap.getUsed(), AREA, "heap")
        .sample(nonHeap.getUsed(), AREA, "nonheap");
    out.family("jvm_memory_max_bytes", GAUGE, "Memory that the JVM may use; -1 for no bound.")
        .sample(heap.getMax(), AREA, "heap")
        .sample(nonHeap.getMax(), AREA, "nonheap");
    out.family("jvm_buffer_memory_used_bytes", GAUGE, "Memory of buffers outside the heap.");
    for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      out.sample(pool.getMemoryUsed(), "id", pool.getName());
    }
  }

  private static void writeCollections(PrometheusText out) {
    List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans();
    out.family("jvm_gc_collection_seconds", SUMMARY, "Garbage collections.");
    for (GarbageCollectorMXBean collector : collectors) {
      double seconds = collector.getCollectionTime() / MILLIS_PER_SECOND;
      out.part("_count", collector.getCollectionCount(), "gc", collector.getName());
      out.part("_sum", seconds, "gc", collector.getName());
    }
  }

  private static void writeProcess(PrometheusText out) {
    RuntimeMXBean runtime = ManagementFactory.getRuntimeMXBean();
    out.gauge(
        "process_start_time_seconds",
        "When this process started, since 1970.",
        runtime.getStartTime() / MILLIS_PER_SECOND);
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      FileDescriptors files = FileDescriptors.ofProcess();
      out.counter(
              "process_cpu_seconds_total",
              "Processor time of this process.",
              LatencyHistogram.seconds(system.getProcessCpuTime()))
          .gauge("process_open_fds", "Open files.", files.open())
          .gauge("process_max_fds", "Open files at most.", files.max());
    }
  }
}
