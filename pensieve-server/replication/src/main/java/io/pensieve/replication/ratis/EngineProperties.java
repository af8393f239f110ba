package io.pensieve.replication.ratis;

import io.pensieve.replication.grpc.GatedGrpc;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** How Ratis is set up: each setting that departs from its default, and why. */
final class EngineProperties {
  /**
   * A leader answers reads without asking for so long after it last heard of a majority. Shorter
   * than an election takes, and than a member takes to come back without memory of its leader.
   */
  static final int LEASE_MILLIS = 500;

  /**
   * How soon a leader calls a follower again that does not answer. By default it waits for 5 s
   * after some failures: then a node that comes back has no leader for so long, and a rolling
   * restart may lose its leader meanwhile.
   */
  private static final String RETRIES = "1ms,10, 250ms,1000000000";

  /** What Ratis adds to an entry at most: its place, the caller's id. */
  private static final int ENTRY_FRAME_BYTES = 1 << 10;

  private static final int SNAPSHOT_CHUNK_BYTES = 4 << 20;

  /**
   * Of one of the parts that are under way. A leader whose call breaks off sends no other one
   * before the patience with all of them is over. By default that is 24 s, in which a member that
   * comes back has no state.
   */
  private static final int SNAPSHOT_CHUNK_PATIENCE_MILLIS = 1_500;

  private static final int SNAPSHOT_CHUNKS_UNDER_WAY = 8;

  private static final int POOL_SIZE = 4;

  private final RaftProperties properties = new RaftProperties();

  private final int frameBytesMax;

  private EngineProperties(int frameBytesMax) {
    this.frameBytesMax = frameBytesMax;
  }

  static RaftProperties of(EngineSettings settings, Path folder, boolean isNew) {
    EngineProperties made = new EngineProperties(settings.entryBytesMax + ENTRY_FRAME_BYTES);
    made.storage(folder, settings.segmentBytes);
    made.network(settings.host, settings.port);
    made.elections(settings.electionMillis, isNew);
    made.reads();
    made.pools();
    return made.properties;
  }

  private void storage(Path folder, int segmentBytes) {
    RaftServerConfigKeys.setStorageDir(properties, List.of(folder.toFile()));
    RaftServerConfigKeys.setRemovedGroupsDir(properties, folder.resolve("removed").toFile());
    // Both acknowledge entries that were not forced.
    RaftServerConfigKeys.Log.setAsyncFlushEnabled(properties, false);
    RaftServerConfigKeys.Log.setUnsafeFlushEnabled(properties, false);
    RaftServerConfigKeys.Log.setForceSyncNum(properties, 128);
    // Would double the entries: each commit would become one.
    RaftServerConfigKeys.Log.setLogMetadataEnabled(properties, false);
    RaftServerConfigKeys.Log.setSegmentSizeMax(properties, bytes(segmentBytes));
    RaftServerConfigKeys.Log.setSegmentCacheNumMax(properties, 2);
    RaftServerConfigKeys.Log.setSegmentCacheSizeMax(properties, bytes(64 << 20));
    RaftServerConfigKeys.Log.setPreallocatedSize(
        properties, bytes(Math.min(segmentBytes, 1 << 20)));
    RaftServerConfigKeys.Log.setWriteBufferSize(properties, bytes(frameBytesMax + (64L << 10)));
    RaftServerConfigKeys.Log.setQueueByteLimit(properties, bytes(64 << 20));
    RaftServerConfigKeys.Write.setByteLimit(properties, bytes(64 << 20));
    // A dead member does not keep the log: it gets a snapshot when it comes back.
    RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
    RaftServerConfigKeys.Log.setPurgeGap(properties, 1);
    RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, false);
    RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(properties, false);
    RaftServerConfigKeys.Snapshot.setTriggerWhenRemoveEnabled(properties, false);
    RaftServerConfigKeys.Snapshot.setRetentionFileNum(properties, 2);
    RaftServerConfigKeys.RetryCache.setExpiryTime(properties, seconds(10));
  }

  private void network(String host, int port) {
    RaftConfigKeys.Rpc.setType(properties, new GatedGrpc());
    if (!host.isEmpty()) {
      GrpcConfigKeys.Server.setHost(properties, host);
    }
    GrpcConfigKeys.Server.setPort(properties, port);
    RaftServerConfigKeys.Log.Appender.setRetryPolicy(properties, RETRIES);
    RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, bytes(frameBytesMax));
    RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(
        properties, bytes(SNAPSHOT_CHUNK_BYTES));
    GrpcConfigKeys.Server.setInstallSnapshotRequestElementLimit(
        properties, SNAPSHOT_CHUNKS_UNDER_WAY);
    GrpcConfigKeys.Server.setInstallSnapshotRequestTimeout(
        properties, millis(SNAPSHOT_CHUNK_PATIENCE_MILLIS));
    GrpcConfigKeys.setMessageSizeMax(
        properties, bytes(Math.max(frameBytesMax, SNAPSHOT_CHUNK_BYTES) + (2L << 20)));
  }

  private void elections(int electionMillis, boolean isNew) {
    RaftServerConfigKeys.Rpc.setTimeoutMin(properties, millis(electionMillis));
    RaftServerConfigKeys.Rpc.setTimeoutMax(properties, millis(electionMillis * 3L / 2));
    // A new cluster has no leader that a quick election could disturb.
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, millis(isNew ? 50 : 500));
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, millis(isNew ? 150 : 1_000));
    RaftServerConfigKeys.setCloseThreshold(properties, seconds(300));
    RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(properties, seconds(10));
    // A member that is added answers nothing while it forces a large snapshot.
    RaftServerConfigKeys.setStagingTimeout(properties, seconds(30));
    RaftServerConfigKeys.Rpc.setSlownessTimeout(properties, seconds(10));
    RaftServerConfigKeys.Notification.setNoLeaderTimeout(properties, seconds(10));
  }

  private void reads() {
    RaftServerConfigKeys.Read.setOption(properties, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
    // Any reply extends it, also that of a follower which refuses since it has a newer leader: a
    // leader that was paused then serves old values.
    RaftServerConfigKeys.Read.setLeaderLeaseEnabled(properties, false);
    RaftServerConfigKeys.Read.setTimeout(properties, seconds(5));
  }

  // Not cached: such a pool of Ratis never has a second thread, and its tasks wait for one another.
  // The event loops are those that gRPC shares: one of its own takes two seconds to end.
  private void pools() {
    RaftServerConfigKeys.ThreadPool.setProxyCached(properties, false);
    RaftServerConfigKeys.ThreadPool.setProxySize(properties, POOL_SIZE);
    RaftServerConfigKeys.ThreadPool.setServerCached(properties, false);
    RaftServerConfigKeys.ThreadPool.setServerSize(properties, POOL_SIZE);
    RaftServerConfigKeys.ThreadPool.setClientCached(properties, false);
    RaftServerConfigKeys.ThreadPool.setClientSize(properties, POOL_SIZE);
    GrpcConfigKeys.Server.setAsyncRequestThreadPoolCached(properties, false);
    GrpcConfigKeys.Server.setAsyncRequestThreadPoolSize(properties, POOL_SIZE);
  }

  private static SizeInBytes bytes(long bytes) {
    return SizeInBytes.valueOf(bytes);
  }

  private static TimeDuration millis(long millis) {
    return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
  }

  private static TimeDuration seconds(long seconds) {
    return TimeDuration.valueOf(seconds, TimeUnit.SECONDS);
  }
}
