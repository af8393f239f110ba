package io.pensieve.server;

import io.pensieve.Pensieve;
import io.pensieve.PensieveBuilder;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import io.pensieve.log.file.OfflineLog;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.HeapShares;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.replication.RaftFolder;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Optional;

/**
 * Opens the map on its log. Drops entries that exceed the capacity only if the settings allow it.
 * Handles damage as the settings say.
 */
final class MapOpener {
  // For watchers of a server without a log. The kept changes retain their values.
  private static final int CHANGES_KEPT = 10_000;
  private static final long BYTES_KEPT = HeapShares.ofProcess().recentChangeBytes();
  private static final int CHANGE_BYTES = 128; // at most, without key and value

  private final Configuration configuration;
  private final PrintStream out;
  private final PrintStream err;

  /**
   * Creates an opener for these settings.
   *
   * @param out receives lines about the recovery
   * @param err receives lines about losses
   */
  MapOpener(Configuration configuration, PrintStream out, PrintStream err) {
    this.configuration = configuration;
    this.out = out;
    this.err = err;
  }

  /**
   * Opens the map.
   *
   * @throws StartupException if that fails; nothing is left open then
   */
  Pensieve<String, StoredValue> open() {
    if (RaftFolder.isIn(configuration.dataDir())) {
      throw new StartupException(
          configuration.dataDir()
              + " belongs to a node of a cluster: give "
              + Setting.REPLICATE.flag(),
          null);
    }
    Optional<Durability> durability = configuration.durability();
    if (durability.isEmpty()) {
      return builder(Log.inMemory(CHANGES_KEPT, BYTES_KEPT, MapOpener::bytesOf)).open();
    }
    try {
      return open(configuration.dataDir(), durability.get());
    } catch (LogException.Corrupt damaged) {
      throw new StartupException(
          damaged.getMessage()
              + "; "
              + LogCommands.remedy(configuration.dataDir())
              + "; or start with "
              + Setting.ON_DAMAGE.flag()
              + " salvage",
          damaged);
    } catch (LogException | UncheckedIOException unusable) {
      throw new StartupException(
          "cannot open the log in " + configuration.dataDir() + ": " + unusable.getMessage(),
          unusable);
    }
  }

  /**
   * Opens the map of a node of a cluster, which is a standby at first.
   *
   * @throws StartupException if that fails; nothing is left open then
   */
  Pensieve<String, StoredValue> open(Log<String, StoredValue> replicated) {
    try {
      Pensieve<String, StoredValue> map = builder(replicated).open();
      out.println(
          map.isEmpty()
              ? "has no snapshot of its cluster yet; the log and the other nodes have all entries"
              : "recovered "
                  + map.size()
                  + " entries of the last snapshot; the log and the other nodes have the rest");
      return map;
    } catch (LogException | UncheckedIOException unusable) {
      throw new StartupException(
          "cannot take part in the cluster, with the data in "
              + configuration.dataDir()
              + ": "
              + unusable.getMessage(),
          unusable);
    }
  }

  private Pensieve<String, StoredValue> open(Path folder, Durability durability) {
    LogQuarantine logQuarantine = new LogQuarantine(folder, configuration.onDamage(), err);
    logQuarantine.resume();
    try {
      return openSound(folder, durability);
    } catch (LogException.Corrupt damage) {
      if (configuration.onDamage() == DamagePolicy.REFUSE) {
        throw damage;
      }
      logQuarantine.setAside(damage);
      return openSound(folder, durability);
    }
  }

  private Pensieve<String, StoredValue> openSound(Path folder, Durability durability) {
    requireConsentToDrop(folder);
    RecoveryProgressPrinter recoveryProgressPrinter =
        new RecoveryProgressPrinter(out, System::nanoTime);
    Pensieve<String, StoredValue> map =
        builder(log(folder, durability)).recoveryListener(recoveryProgressPrinter).open();
    try {
      bound().rememberIn(folder);
    } catch (LogException notRemembered) {
      map.close();
      throw notRemembered;
    }
    recoveryProgressPrinter.report(map.recovery(), map.size());
    return map;
  }

  private EntryCapacity bound() {
    return new EntryCapacity(configuration.capacity(), configuration.capacityBytes());
  }

  /**
   * Looks whether all entries of the log in this folder fit the capacity. A forgotten setting must
   * not destroy entries.
   *
   * @throws StartupException if not, and if the settings do not consent
   */
  void requireConsentToDrop(Path folder) {
    EntryCapacity bound = bound();
    Optional<EntryCapacity> last = EntryCapacity.lastIn(folder);
    if (last.isPresent() && bound.covers(last.get())) {
      return;
    }
    Optional<OverflowCounter> counted = count(folder);
    int dropped = counted.map(count -> count.beyond(bound)).orElse(0);
    if (dropped == 0) {
      return;
    }
    String told =
        dropped
            + " of "
            + counted.get().entries()
            + " entries, which take "
            + counted.get().bytes()
            + " bytes of memory, for which "
            + Setting.CAPACITY.flag()
            + " "
            + bound.entries()
            + " and "
            + Setting.CAPACITY_BYTES.flag()
            + " "
            + bound.bytes()
            + " have no room";
    if (!configuration.allowDrops()) {
      throw new StartupException(
          "the log in "
              + folder
              + " would lose "
              + told
              + ": give larger bounds, or "
              + Setting.ALLOW_DROPS.flag(),
          null);
    }
    err.println(Setting.PROGRAM + ": drops " + told);
  }

  private static Optional<OverflowCounter> count(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    OverflowCounter count = new OverflowCounter(InstantSource.system());
    try {
      OfflineLog.read(folder, count);
      return Optional.of(count);
    } catch (LogException.Corrupt damaged) {
      throw damaged;
    } catch (LogException.Failed noLog) {
      return Optional.empty(); // or it cannot be read, which opening it will report
    }
  }

  private PensieveBuilder<String, StoredValue> builder(Log<String, StoredValue> log) {
    return Pensieve.<String, StoredValue>builder()
        .maximumEntries(configuration.capacity())
        .maximumWeight(configuration.capacityBytes(), EntryWeigher.OF_PROCESS)
        .recordStatistics()
        .orderKeys(Comparator.naturalOrder())
        .log(log);
  }

  private Log<String, StoredValue> log(Path folder, Durability durability) {
    return FileLog.at(folder, Codec.utf8(), StoredValue.codec())
        .durability(durability)
        .maximumEntryBytes(configuration.limits().logEntryBytesMax());
  }

  private static long bytesOf(Change<String, StoredValue> change) {
    long keyBytes = 2L * change.key().length();
    long valueBytes =
        change instanceof Change.Put<String, StoredValue> put ? put.value().size() : 0;
    return CHANGE_BYTES + keyBytes + valueBytes;
  }
}
