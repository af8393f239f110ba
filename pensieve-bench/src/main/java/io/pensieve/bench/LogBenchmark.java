package io.pensieve.bench;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.FileLog;
import io.pensieve.log.Log;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does a put of 100 bytes cost at each level of durability, and how near is the dearest to
 * what the disk can do?
 *
 * <p>The disk is asked by a bare loop, one thread that writes about as many bytes into a file that
 * has its size already, and forces them. Put the folder on the disk you mean: on tmpfs a force is
 * free.
 *
 * <pre>
 * java -jar pensieve-bench/target/benchmarks.jar LogBenchmark -p folder=. -t 1
 * java -jar pensieve-bench/target/benchmarks.jar LogBenchmark.put -p folder=. -t 64
 * </pre>
 */
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class LogBenchmark {
  private static final int VALUE_BYTES = 100;
  private static final int KEYS = 10_000;

  /** A map whose log keeps this level's promise. */
  @State(Scope.Benchmark)
  public static class Remembering {
    @Param({"none", "process-death", "power-cut"})
    @SuppressWarnings("NullAway.Init") // JMH sets it
    String durability;

    @Param(".")
    @SuppressWarnings("NullAway.Init") // JMH sets it
    String folder;

    @SuppressWarnings("NullAway.Init") // open() sets it
    private Path directory;

    @SuppressWarnings("NullAway.Init") // open() sets it
    private Pensieve<Long, byte[]> memories;

    private final byte[] value = new byte[VALUE_BYTES];

    @Setup
    public void open() throws IOException {
      directory = Files.createTempDirectory(Path.of(folder), "log-benchmark");
      memories = Pensieve.<Long, byte[]>builder().maximumEntries(2 * KEYS).log(log()).open();
    }

    private Log<Long, byte[]> log() {
      return switch (durability) {
        case "none" -> Log.none();
        case "process-death" -> fileLog(Durability.PROCESS_DEATH);
        case "power-cut" -> fileLog(Durability.POWER_CUT);
        default -> throw new IllegalArgumentException("no such durability: " + durability);
      };
    }

    private Log<Long, byte[]> fileLog(Durability level) {
      return FileLog.open(directory, Codec.int64(), Codec.bytes(), level);
    }

    @TearDown
    public void close() throws IOException {
      memories.close();
      deleteTree(directory);
    }
  }

  /** A file of fixed size that is written round and round. */
  @State(Scope.Benchmark)
  public static class BareFile {
    private static final int FILE_BYTES = 64 << 20;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int HEADER_BYTES = 32; // about what a record has beside its value
    private static final int RECORD_BYTES = HEADER_BYTES + Long.BYTES + VALUE_BYTES;

    @Param(".")
    @SuppressWarnings("NullAway.Init") // JMH sets it
    String folder;

    @SuppressWarnings("NullAway.Init") // allocate() sets it
    private Path file;

    @SuppressWarnings("NullAway.Init") // allocate() sets it
    private FileChannel channel;

    private final ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES);
    private long position;

    @Setup
    public void allocate() throws IOException {
      file = Files.createTempFile(Path.of(folder), "log-benchmark", ".bare");
      channel = FileChannel.open(file, StandardOpenOption.WRITE);
      ByteBuffer zeros = ByteBuffer.allocateDirect(CHUNK_BYTES);
      for (long at = 0; at < FILE_BYTES; at += CHUNK_BYTES) {
        channel.write(zeros.clear(), at);
      }
      channel.force(true);
    }

    // One thread at a time, should more be asked for: the file has one end.
    synchronized long writeAndForce() throws IOException {
      channel.write(record.clear(), position);
      channel.force(false);
      position += RECORD_BYTES;
      if (position + RECORD_BYTES > FILE_BYTES) {
        position = 0;
      }
      return position;
    }

    @TearDown
    public void close() throws IOException {
      channel.close();
      Files.delete(file);
    }
  }

  @Benchmark
  public void put(Remembering state) {
    state.memories.put(ThreadLocalRandom.current().nextLong(KEYS), state.value);
  }

  @Benchmark
  public long bareWriteAndForce(BareFile file) throws IOException {
    return file.writeAndForce();
  }

  private static void deleteTree(Path root) throws IOException {
    try (Stream<Path> tree = Files.walk(root)) {
      List<Path> childrenFirst = tree.sorted((a, b) -> b.compareTo(a)).toList();
      for (Path path : childrenFirst) {
        Files.delete(path);
      }
    }
  }
}
