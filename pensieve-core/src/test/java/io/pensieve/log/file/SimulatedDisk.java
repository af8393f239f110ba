package io.pensieve.log.file;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that knows what was forced, sector by sector and name by name, and can stop,
 * fail, forget, and write back unasked.
 */
final class SimulatedDisk implements Disk {
  /** Sees what is on the disk before each operation, and in the middle of each write. */
  interface Watcher {
    void before(String operation);
  }

  /** A change to the folder: this name now means this file, or none. */
  private record Entry(Path name, @Nullable SimulatedFile file, @Nullable Path gone) {}

  /** This folder and those above it have always been there. */
  private static final Path ROOT = Path.of("").toAbsolutePath();

  private Map<Path, SimulatedFile> files = new LinkedHashMap<>();
  private Map<Path, SimulatedFile> forcedFiles = new LinkedHashMap<>();
  private List<Entry> unforcedEntries = new ArrayList<>();
  private final Set<Path> folders = new HashSet<>();
  private final Set<Path> forcedFolders = new HashSet<>();
  private long boot = 1;
  private int operations;
  private int locks;
  private int stopAt = Integer.MAX_VALUE;
  private int failAt = Integer.MAX_VALUE;
  private boolean failsForGood;
  private DiskFault fault = DiskFault.NONE;
  private boolean foldersTaken;
  private long usableBytes = 1L << 40;
  private long totalBytes = 1L << 40;
  private boolean isFull; // no file gets any longer
  private Watcher watcher = operation -> {};
  private @Nullable Random writeBack;
  private @Nullable SimulatedFile spoiled;
  private int spoiledFrom;
  private int spoiledTo;

  /** From this many operations on nothing works: the machine or the process has stopped. */
  void stopAfter(int operationsMore) {
    stopAt = operations + operationsMore;
  }

  /** One operation will fail, or all from there on. */
  void failAfter(int operationsMore, boolean forGood) {
    failAfter(operationsMore, forGood, DiskFault.INPUT_OUTPUT_ERROR);
  }

  void failAfter(int operationsMore, boolean forGood, DiskFault how) {
    failAt = operations + operationsMore;
    failsForGood = forGood;
    fault = how;
  }

  /** From now on the disk does not give these bytes of a file. */
  void spoil(Path file, int from, int to) {
    spoiled = files.get(file);
    spoiledFrom = from;
    spoiledTo = to;
  }

  void heal() {
    stopAt = Integer.MAX_VALUE;
    failAt = Integer.MAX_VALUE;
    watcher = operation -> {};
  }

  /** Which start of the operating system this is; 0 if that is not known. */
  void boot(long which) {
    boot = which;
  }

  void usableBytes(long bytes) {
    usableBytes = bytes;
  }

  /** From now on the files have all the room there is: only what is deleted can be used again. */
  void fillUp() {
    usableBytes = 0;
    isFull = true;
  }

  // What files give back can be used again, by longer ones.
  private void takeRoom(long bytes) throws IOException {
    if (isFull && bytes > usableBytes) {
      throw new IOException("No space left on device");
    }
    usableBytes -= isFull ? bytes : 0;
  }

  void totalBytes(long bytes) {
    totalBytes = bytes;
  }

  void watch(Watcher newWatcher) {
    watcher = newWatcher;
  }

  /** From now on some of what was written is forced now and then, unasked, as kernels do. */
  void writeBack(Random random) {
    writeBack = random;
  }

  int operations() {
    return operations;
  }

  boolean hasStopped() {
    return operations >= stopAt;
  }

  boolean hasFailed() {
    return operations > failAt;
  }

  /** The process is gone; what it stored, in files and in mappings, is all there. */
  void killProcess() {
    endProcess();
    heal();
  }

  /** As {@link #killProcess}, and what is to fail will fail. */
  void endProcess() {
    locks = 0;
    files.values().forEach(SimulatedFile::unmap);
    forcedFiles.values().forEach(SimulatedFile::unmap);
  }

  /** The process is gone, and the kernel drops from memory what a failed force did not write. */
  void killProcessAndDropPages(Random random) {
    killProcess();
    files.values().forEach(file -> file.dropLostSectors(random));
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
    if (folders.removeIf(folder -> !forcedFolders.contains(folder) && random.nextBoolean())) {
      forcedFiles.keySet().removeIf(name -> !folders.contains(folderOf(name)));
    }
    forcedFolders.addAll(folders);
    files = new LinkedHashMap<>(forcedFiles);
    files.values().forEach(file -> file.cutPower(random));
  }

  private static void apply(Map<Path, SimulatedFile> entries, Entry entry) {
    if (entry.gone() != null) {
      entries.remove(entry.gone());
    }
    if (entry.file() == null) {
      entries.remove(entry.name());
    } else {
      entries.put(entry.name(), entry.file());
    }
  }

  private void change(Entry entry) {
    apply(files, entry);
    unforcedEntries.add(entry);
  }

  private void operate(String what, boolean needsRoom) throws IOException {
    watcher.before(what);
    Random kernel = writeBack;
    if (kernel != null && kernel.nextInt(4) == 0) {
      files.values().forEach(file -> file.writeBack(kernel));
    }
    int operation = operations++;
    if (operation >= stopAt) {
      throw new IOException("stopped at operation " + operation + ": " + what);
    }
    if (operation == failAt || (operation > failAt && failsForGood)) {
      fault.strike("operation " + operation + " fails: " + what, needsRoom);
    }
  }

  /** A disk with all that this one has now, in files and in mappings, for a crash to befall it. */
  SimulatedDisk copy() {
    SimulatedDisk copy = new SimulatedDisk();
    IdentityHashMap<SimulatedFile, SimulatedFile> copies = new IdentityHashMap<>();
    files.forEach((name, file) -> copy.files.put(name, copied(file, copies)));
    forcedFiles.forEach((name, file) -> copy.forcedFiles.put(name, copied(file, copies)));
    for (Entry entry : unforcedEntries) {
      SimulatedFile file = entry.file();
      copy.unforcedEntries.add(
          new Entry(entry.name(), file == null ? null : copied(file, copies), entry.gone()));
    }
    copy.folders.addAll(folders);
    copy.forcedFolders.addAll(forcedFolders);
    copy.boot = boot;
    copy.usableBytes = usableBytes;
    return copy;
  }

  private static SimulatedFile copied(
      SimulatedFile file, IdentityHashMap<SimulatedFile, SimulatedFile> copies) {
    return copies.computeIfAbsent(file, SimulatedFile::copy);
  }

  /** A copy of every file, by name. */
  Map<Path, byte[]> contents() {
    Map<Path, byte[]> contents = new HashMap<>();
    files.forEach((name, file) -> contents.put(name, file.current().clone()));
    return contents;
  }

  boolean exists(Path file) {
    return files.containsKey(file);
  }

  /** How much room all files take. */
  long bytes() {
    return files.values().stream().mapToLong(SimulatedFile::size).sum();
  }

  /** The position of the newest base in a folder, or 0. */
  long newestBase(Path folder) {
    long newest = 0;
    for (Path name : files.keySet()) {
      String file = String.valueOf(name.getFileName());
      if (folder.equals(name.getParent()) && file.endsWith(LogDirectory.BASE_SUFFIX)) {
        newest = Math.max(newest, Long.parseLong(file.substring(0, file.indexOf('.')), 16));
      }
    }
    return newest;
  }

  /**
   * A disk with these files, all forced. It reads the arrays as they are, and never writes them.
   */
  static SimulatedDisk of(Map<Path, byte[]> contents) {
    SimulatedDisk disk = new SimulatedDisk();
    contents.forEach(
        (name, bytes) -> {
          SimulatedFile file = SimulatedFile.of(name, bytes);
          disk.files.put(name, file);
          disk.forcedFiles.put(name, file);
          disk.folders.add(folderOf(name));
        });
    disk.forcedFolders.addAll(disk.folders);
    return disk;
  }

  private static Path folderOf(Path name) {
    Path folder = name.toAbsolutePath().getParent();
    return folder == null ? ROOT : folder;
  }

  /** The memory of a mapped file. */
  ByteBuffer memory(Path file) {
    SimulatedFile mapped = files.get(file);
    if (mapped == null) {
      throw new AssertionError(file + " is not there");
    }
    return mapped.memory();
  }

  @Override
  public boolean isFolder(Path path) {
    return ROOT.startsWith(path) || folders.contains(path);
  }

  @Override
  public void createFolder(Path path) throws IOException {
    operate("create folder", true);
    folders.add(path);
  }

  @Override
  public Lock lock(Path directory) throws IOException {
    Path file = directory.resolve("LOCK");
    operate("create LOCK", true);
    if (!files.containsKey(file)) {
      change(new Entry(file, new SimulatedFile(file), null));
    }
    operate("write LOCK", true);
    locks++;
    return new SimulatedLock();
  }

  /** How many have a folder for themselves. */
  int locks() {
    return locks;
  }

  /** From now on somebody else has the folders that are locked. */
  void takeFolders() {
    foldersTaken = true;
  }

  private final class SimulatedLock implements Lock {
    @Override
    public void confirm() throws IOException {
      if (foldersTaken) {
        throw new IOException("another one took the folder");
      }
    }

    @Override
    public void renew() {}

    @Override
    public void close() {
      locks--;
    }
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    operate("list", false);
    return files.keySet().stream()
        .filter(name -> folderOf(name).equals(directory.toAbsolutePath()))
        .map(name -> String.valueOf(name.getFileName()))
        .toList();
  }

  @Override
  public File create(Path file) throws IOException {
    operate("create " + file.getFileName(), true);
    SimulatedFile created = new SimulatedFile(file);
    change(new Entry(file, created, null));
    return new OpenFile(created);
  }

  @Override
  public File open(Path file) throws IOException {
    operate("open " + file.getFileName(), false);
    SimulatedFile opened = files.get(file);
    if (opened == null) {
      throw new FileNotFoundException(file.toString());
    }
    return new OpenFile(opened);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    operate("rename " + from.getFileName() + " to " + to.getFileName(), false);
    SimulatedFile file = files.get(from);
    if (file == null) {
      throw new FileNotFoundException(from.toString());
    }
    file.name(to);
    change(new Entry(to, file, from));
  }

  @Override
  public void delete(Path file) throws IOException {
    operate("delete " + file.getFileName(), false);
    takeRoom(-(files.containsKey(file) ? files.get(file).size() : 0));
    folders.remove(file.toAbsolutePath());
    change(new Entry(file, null, null));
  }

  @Override
  public Folder openFolder(Path directory) {
    return new Folder() {
      @Override
      public void force() throws IOException {
        forceDirectory(directory);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    boolean isAbove = ROOT.startsWith(directory);
    operate(isAbove ? "force directory above" : "force directory", false);
    if (isAbove) {
      forcedFolders.addAll(folders);
      return;
    }
    for (Iterator<Entry> entries = unforcedEntries.iterator(); entries.hasNext(); ) {
      Entry entry = entries.next();
      if (folderOf(entry.name()).equals(directory.toAbsolutePath())) {
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
  public long totalBytes(Path directory) {
    return totalBytes;
  }

  @Override
  public long boot() {
    return boot;
  }

  private final class OpenFile implements File {
    private final SimulatedFile file;

    OpenFile(SimulatedFile file) {
      this.file = file;
    }

    @Override
    public long size() {
      return file.size();
    }

    @Override
    public void read(ByteBuffer into, long position) throws IOException {
      operate("read " + file.name(), false);
      if (file == spoiled && position < spoiledTo && position + into.remaining() > spoiledFrom) {
        throw new IOException("bad sector in " + file.name());
      }
      into.put(file.current(), (int) position, into.remaining());
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
      if (isFull) {
        takeRoom(Math.max(0, position + from.remaining() - file.size()));
      } else if (usableBytes < from.remaining()) {
        throw new IOException("No space left on device");
      }
      int half = from.remaining() / 2;
      ByteBuffer firstHalf = from.duplicate().limit(from.position() + half);
      operate("write " + file.name(), true);
      file.write(firstHalf, (int) position);
      watcher.before("half of write " + file.name());
      file.write(from.position(from.position() + half), (int) position + half);
    }

    @Override
    public void truncate(long bytes) throws IOException {
      operate("truncate " + file.name(), false);
      takeRoom(Math.min(0, bytes - file.size()));
      file.truncate((int) bytes);
    }

    @Override
    public void force() throws IOException {
      try {
        operate("force " + file.name(), true);
      } catch (IOException failed) {
        file.loseUnforced();
        throw failed;
      }
      file.force();
    }

    @Override
    public ByteBuffer map(int bytes) throws IOException {
      operate("map " + file.name(), false);
      return file.map(bytes);
    }

    @Override
    public void close() {}
  }
}
