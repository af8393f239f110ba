package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.StateMachine;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.server.storage.RaftStorageDirectory;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.MD5FileUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a leader tells followers to wait for, as entries are applied. */
final class AppliedLogTest {
  private static final int RETAINED_BYTES = 1_000;

  private final Machine machine = new Machine();
  private final Path folder;
  private final SnapshotFolder snapshots;
  private final AppliedLog log;

  AppliedLogTest(@TempDir Path folder) {
    this.folder = folder;
    snapshots = new SnapshotFolder(folder.resolve("temporary"));
    log =
        new AppliedLog(
            machine,
            snapshots,
            new RetainedLog(RETAINED_BYTES),
            Runnable::run,
            new EngineEvents(line -> {}, machine));
  }

  private void apply(long index, String content) {
    LogEntryProto entry =
        LogEntryProto.newBuilder()
            .setTerm(1)
            .setIndex(index)
            .setStateMachineLogEntry(
                StateMachineLogEntryProto.newBuilder().setLogData(ByteString.copyFromUtf8(content)))
            .build();
    log.applyTransaction(
            TransactionContext.newBuilder()
                .setServerRole(RaftPeerRole.LEADER)
                .setStateMachine(log)
                .setLogEntry(entry)
                .build())
        .join();
  }

  @Test
  void whoeverAsksOnceAnEntryHasEffectsWaitsForIt() {
    apply(1, "visible");
    apply(2, "visible");
    assertEquals(List.of(1L, 2L), machine.seen, "within the machine, which acknowledges there");
  }

  @Test
  void nobodyWaitsForAnEntryThatNoReadCanSee() {
    apply(1, "visible");
    apply(2, "");
    apply(3, "invisible");
    assertEquals(1, log.readIndex());
    assertEquals(List.of(1L, 1L), machine.seen);
    apply(4, "visible");
    assertEquals(4, log.readIndex());
  }

  @Test
  void nothingIsForgottenTwiceWhenASnapshotIsInstalled() throws Exception {
    snapshots.init(fake(RaftStorage.class, fake(RaftStorageDirectory.class, folder.toFile())));
    for (int index = 1; index <= 10; index++) {
      apply(index, "x".repeat(RETAINED_BYTES));
    }
    install(20);
    log.reinitialize();
    apply(21, "");
    assertEquals(RaftLog.INVALID_LOG_INDEX, log.takeSnapshot());
    apply(22, "x".repeat(RETAINED_BYTES));
    install(22);
    snapshots.reload();
    assertEquals(21, log.takeSnapshot());
  }

  private void install(long index) throws Exception {
    Path snapshot = Files.createFile(folder.resolve("snapshot.1_" + index));
    MD5FileUtil.computeAndSaveMd5ForFile(snapshot.toFile());
  }

  /** An object of which every call returns the same. */
  private static <T> T fake(Class<T> type, Object result) {
    ClassLoader loader = type.getClassLoader();
    return type.cast(
        Proxy.newProxyInstance(
            loader, new Class<?>[] {type}, (proxy, method, arguments) -> result));
  }

  private final class Machine implements StateMachine {
    final List<Long> seen = new ArrayList<>();

    @Override
    public boolean isVisible(byte[] entry) {
      return entry.length == "visible".length();
    }

    @Override
    public void apply(LogPosition position, byte[] entry) {
      seen.add(log.readIndex());
    }

    @Override
    public void lead(long term) {}

    @Override
    public void follow() {}

    @Override
    public void restore(LogPosition position, Path snapshot) {}

    @Override
    public void fail(Throwable cause) {
      throw new AssertionError(cause);
    }
  }
}
