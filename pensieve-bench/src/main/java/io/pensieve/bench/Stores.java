package io.pensieve.bench;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.file.FileLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import net.openhft.chronicle.map.ChronicleMap;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/** The stores that are compared, by the names that the parameter {@code store} has. */
final class Stores {
  private Stores() {}

  /** A store whose entries survive the death of the process as soon as they are put. */
  static Store survivingProcessDeath(String name, Path folder, int entries, int valueBytes)
      throws Exception {
    return switch (name) {
      case "pensieve" -> new PensieveStore(log(folder, Durability.PROCESS_DEATH), entries);
      case "pensieveWithoutLog" -> new PensieveStore(Log.none(), entries);
      case "chronicleMap" -> new ChronicleStore(folder, entries, valueBytes);
      case "rocksDb" -> new RocksStore(folder, false);
      case "mvStore" -> new MvStore(folder);
      default -> throw new IllegalArgumentException("no such store: " + name);
    };
  }

  /** A store whose entries survive a power cut as soon as they are put. */
  static Store survivingPowerCut(String name, Path folder, int entries, int valueBytes)
      throws Exception {
    return switch (name) {
      case "pensieve" -> new PensieveStore(log(folder, Durability.POWER_CUT), entries);
      case "rocksDb" -> new RocksStore(folder, true);
      case "bareLoop" -> new BareLoop(folder, valueBytes);
      default -> throw new IllegalArgumentException("no such store: " + name);
    };
  }

  private static Log<Long, byte[]> log(Path folder, Durability durability) {
    return FileLog.at(folder, Codec.int64(), Codec.bytes()).durability(durability);
  }

  /** Deletes a folder with all that is in it. */
  static void deleteTree(Path root) throws IOException {
    try (Stream<Path> tree = Files.walk(root)) {
      List<Path> childrenFirst = tree.sorted((a, b) -> b.compareTo(a)).toList();
      for (Path path : childrenFirst) {
        Files.delete(path);
      }
    }
  }

  private static final class PensieveStore implements Store {
    private final Pensieve<Long, byte[]> map;

    PensieveStore(Log<Long, byte[]> log, int entries) {
      // Half as much again, so that nothing is evicted.
      map = Pensieve.<Long, byte[]>builder().maximumEntries(entries + entries / 2).log(log).open();
    }

    @Override
    public void put(Long key, byte[] value) {
      map.put(key, value);
    }

    @Override
    public void close() {
      map.close();
    }
  }

  /** Maps its file into memory: what is put is the kernel's at once. */
  private static final class ChronicleStore implements Store {
    private final ChronicleMap<Long, byte[]> map;

    ChronicleStore(Path folder, int entries, int valueBytes) throws IOException {
      map =
          ChronicleMap.of(Long.class, byte[].class)
              .name("benchmark")
              .entries(entries + entries / 2)
              .averageValueSize(valueBytes)
              .putReturnsNull(true) // else it would read and copy the old value
              .createPersistedTo(folder.resolve("map").toFile());
    }

    @Override
    public void put(Long key, byte[] value) {
      map.put(key, value);
    }

    @Override
    public void close() {
      map.close();
    }
  }

  /** Writes its log with each put, and forces it if asked to. */
  private static final class RocksStore implements Store {
    private final Options options = new Options().setCreateIfMissing(true);
    private final WriteOptions writeOptions = new WriteOptions();
    private final RocksDB database;

    RocksStore(Path folder, boolean force) throws RocksDBException {
      writeOptions.setSync(force);
      database = RocksDB.open(options, folder.toString());
    }

    @Override
    public void put(Long key, byte[] value) throws RocksDBException {
      byte[] keyBytes = ByteBuffer.allocate(Long.BYTES).putLong(key).array();
      database.put(writeOptions, keyBytes, value);
    }

    @Override
    public void close() {
      database.close();
      writeOptions.close();
      options.close();
    }
  }

  /** Promises less: it writes about once a second, and what came after that dies with a process. */
  private static final class MvStore implements Store {
    private final MVStore store;
    private final MVMap<Long, byte[]> map;

    MvStore(Path folder) {
      store = MVStore.open(folder.resolve("map").toString());
      map = store.openMap("benchmark");
    }

    @Override
    public void put(Long key, byte[] value) {
      map.put(key, value);
    }

    @Override
    public void close() {
      store.close();
    }
  }

  /** What the disk can do: a file that has its size already is written round and round. */
  private static final class BareLoop implements Store {
    private static final int FILE_BYTES = 64 << 20;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int HEADER_BYTES = 32; // about what a record has beside its value
    private final FileChannel channel;
    private final ByteBuffer record;
    private long position;

    BareLoop(Path folder, int valueBytes) throws IOException {
      record = ByteBuffer.allocateDirect(HEADER_BYTES + Long.BYTES + valueBytes);
      channel =
          FileChannel.open(
              folder.resolve("bare"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      ByteBuffer zeros = ByteBuffer.allocateDirect(CHUNK_BYTES);
      for (long at = 0; at < FILE_BYTES; at += CHUNK_BYTES) {
        channel.write(zeros.clear(), at);
      }
      channel.force(true);
    }

    // One thread at a time, should more be asked for: the file has one end.
    @Override
    public synchronized void put(Long key, byte[] value) throws IOException {
      record.clear().position(HEADER_BYTES);
      record.putLong(key).put(value).rewind();
      channel.write(record, position);
      channel.force(false);
      position += record.capacity();
      if (position + record.capacity() > FILE_BYTES) {
        position = 0;
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
