package io.pensieve.log;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A disk in memory that knows what was forced, and can stop, fail and forget on demand. */
final class SimulatedDisk implements Disk {
  static final int SECTOR_BYTES = 512;

  private static final class Inode {
    private byte[] bytes = {};
    private byte[] forced = {};
    private @Nullable ByteBuffer memory;
    private int badFrom;
    private int badTo;

    private byte[] current() {
      ByteBuffer mapped = memory;
      if (mapped != null) {
        mapped.get(0, bytes);
      }
      return bytes;
    }
  }

  /** A change to the folder: this name now means this file, or none. */
  private record Entry(Path name, @Nullable Inode inode, @Nullable Path gone) {}

  private final Map<Path, Inode> files = new TreeMap<>();
  private final Map<Path, Inode> forcedFiles = new TreeMap<>();
  private final List<Entry> unforcedEntries = new ArrayList<>();
  private long boot = 1;
  private int operations;
  private int stopAt = Integer.MAX_VALUE;
  private int failAt = Integer.MAX_VALUE;
  private boolean failsForGood;
  private long usableBytes = 1L << 40;

  /** From this many operations on nothing works: the machine or the process has stopped. */
  void stopAfter(int operationsMore) {
    stopAt = operations + operationsMore;
  }

  /** One operation will fail, or all from there on. */
  void failAfter(int operationsMore, boolean forGood) {
    failAt = operations + operationsMore;
    failsForGood = forGood;
  }

  /** From now on the disk does not give these bytes of a file. */
  void spoil(Path file, int from, int to) {
    Inode inode = files.getOrDefault(file, new Inode());
    inode.badFrom = from;
    inode.badTo = to;
  }

  void heal() {
    stopAt = Integer.MAX_VALUE;
    failAt = Integer.MAX_VALUE;
  }

  void usableBytes(long bytes) {
    usableBytes = bytes;
  }

  int operations() {
    return operations;
  }

  boolean hasStopped() {
    return operations >= stopAt;
  }

  /** The process is gone; what it stored, in files and in mappings, is all there. */
  void killProcess() {
    for (Inode inode : files.values()) {
      inode.current();
      inode.memory = null;
    }
    heal();
  }

  /** Of what was not forced, any sectors and any changes of the folder may be gone. */
  void cutPower(Random random) {
    boot++;
    killProcess();
    for (Entry entry : unforcedEntries) {
      if (random.nextBoolean()) {
        apply(forcedFiles, entry);
      }
    }
    unforcedEntries.clear();
    files.clear();
    files.putAll(forcedFiles);
    for (Inode inode : files.values()) {
      inode.bytes = survivors(inode, random);
      inode.forced = inode.bytes.clone();
    }
  }

  private static byte[] survivors(Inode inode, Random random) {
    byte[] written = inode.bytes;
    byte[] survivors =
        Arrays.copyOf(inode.forced, random.nextBoolean() ? written.length : inode.forced.length);
    int keepOneIn = 1 + random.nextInt(4);
    for (int at = 0; at < Math.min(written.length, survivors.length); at += SECTOR_BYTES) {
      if (random.nextInt(keepOneIn) == 0) {
        int bytes = Math.min(SECTOR_BYTES, Math.min(written.length, survivors.length) - at);
        System.arraycopy(written, at, survivors, at, bytes);
      }
    }
    return survivors;
  }

  private static void apply(Map<Path, Inode> entries, Entry entry) {
    if (entry.gone() != null) {
      entries.remove(entry.gone());
    }
    if (entry.inode() == null) {
      entries.remove(entry.name());
    } else {
      entries.put(entry.name(), entry.inode());
    }
  }

  private void change(Entry entry) {
    apply(files, entry);
    unforcedEntries.add(entry);
  }

  private void operate(String what) throws IOException {
    int operation = operations++;
    if (operation >= stopAt) {
      throw new IOException("stopped at operation " + operation + ": " + what);
    }
    if (operation == failAt || (operation > failAt && failsForGood)) {
      throw new IOException("operation " + operation + " fails: " + what);
    }
  }

  /** A copy of every file, by name. */
  Map<Path, byte[]> contents() {
    Map<Path, byte[]> contents = new HashMap<>();
    files.forEach((name, inode) -> contents.put(name, inode.current().clone()));
    return contents;
  }

  /** How much room all files take. */
  long bytes() {
    return files.values().stream().mapToLong(inode -> inode.bytes.length).sum();
  }

  /** The position of the newest base in a folder, or 0. */
  long newestBase(Path folder) {
    return files.keySet().stream()
        .filter(name -> folder.equals(name.getParent()))
        .map(name -> String.valueOf(name.getFileName()))
        .filter(name -> name.endsWith(".base"))
        .mapToLong(name -> Long.parseLong(name.replace(".base", ""), 16))
        .max()
        .orElse(0);
  }

  /** A disk with these files, all forced. */
  static SimulatedDisk of(Map<Path, byte[]> contents) {
    SimulatedDisk disk = new SimulatedDisk();
    contents.forEach(
        (name, bytes) -> {
          Inode inode = new Inode();
          inode.bytes = bytes.clone();
          inode.forced = bytes.clone();
          disk.files.put(name, inode);
          disk.forcedFiles.put(name, inode);
        });
    return disk;
  }

  /** The memory of a mapped file. */
  ByteBuffer memory(Path file) {
    ByteBuffer memory = files.getOrDefault(file, new Inode()).memory;
    if (memory == null) {
      throw new AssertionError(file + " is not mapped");
    }
    return memory;
  }

  @Override
  public Closeable lock(Path directory) {
    return () -> {};
  }

  @Override
  public void createFolder(Path directory) throws IOException {
    operate("create folder " + directory); // folders are but the names of their files here
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    operate("list");
    return files.keySet().stream()
        .filter(name -> directory.equals(name.getParent()))
        .map(name -> String.valueOf(name.getFileName()))
        .toList();
  }

  @Override
  public File create(Path file) throws IOException {
    operate("create " + file);
    Inode inode = new Inode();
    change(new Entry(file, inode, null));
    return new OpenFile(inode);
  }

  @Override
  public File open(Path file) throws IOException {
    operate("open " + file);
    Inode inode = files.get(file);
    if (inode == null) {
      throw new FileNotFoundException(file.toString());
    }
    return new OpenFile(inode);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    operate("rename " + from);
    change(new Entry(to, files.get(from), from));
  }

  @Override
  public void delete(Path file) throws IOException {
    operate("delete " + file);
    change(new Entry(file, null, null));
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    operate("force directory");
    for (Iterator<Entry> entries = unforcedEntries.iterator(); entries.hasNext(); ) {
      Entry entry = entries.next();
      if (directory.equals(entry.name().getParent())) {
        apply(forcedFiles, entry);
        entries.remove();
      }
    }
  }

  @Override
  public long usableBytes(Path directory) {
    return usableBytes;
  }

  @Override
  public long boot() {
    return boot;
  }

  private final class OpenFile implements File {
    private final Inode inode;

    OpenFile(Inode inode) {
      this.inode = inode;
    }

    @Override
    public long size() {
      return inode.bytes.length;
    }

    @Override
    public void read(ByteBuffer into, long position) throws IOException {
      operate("read");
      if (position < inode.badTo && position + into.remaining() > inode.badFrom) {
        throw new IOException("bad sector");
      }
      into.put(inode.current(), (int) position, into.remaining());
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
      boolean willStop = operations >= stopAt;
      int bytes = willStop ? from.remaining() / 2 : from.remaining();
      if (operations <= stopAt) {
        if (usableBytes < bytes) {
          throw new IOException("No space left on device");
        }
        int end = (int) position + bytes;
        if (end > inode.bytes.length) {
          inode.bytes = Arrays.copyOf(inode.bytes, end);
        }
        from.get(inode.bytes, (int) position, bytes);
      }
      operate("write");
    }

    @Override
    public void truncate(long bytes) throws IOException {
      operate("truncate");
      inode.bytes = Arrays.copyOf(inode.bytes, (int) Math.min(bytes, inode.bytes.length));
    }

    @Override
    public void force() throws IOException {
      operate("force");
      inode.forced = inode.current().clone();
    }

    @Override
    public ByteBuffer map(int bytes) throws IOException {
      operate("map");
      ByteBuffer memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
      memory.put(0, inode.bytes);
      inode.memory = memory;
      return memory;
    }

    @Override
    public void close() {}
  }
}
