package io.pensieve.server.http;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A log in memory that tells its changes, until it is told to forget them. */
final class TruncatingLog implements Log<String, StoredValue> {
  private final List<Change<String, StoredValue>> changes = new ArrayList<>();
  private long forgotten;

  /** A server that has a history, and has forgotten it. */
  static ServerUnderTest server() throws IOException {
    TruncatingLog log = new TruncatingLog();
    ServerUnderTest server = log.serve();
    for (int i = 0; i < 5; i++) {
      server.map.put("k" + i, "v");
    }
    log.forgetAll();
    return server;
  }

  ServerUnderTest serve() throws IOException {
    return new ServerUnderTest(this, ServerUnderTest.settings(), Cluster.alone(1));
  }

  /** What was told by now is not kept, and streams that are open are behind. */
  synchronized void forgetAll() {
    changes.add(new Change.Remove<>("unseen"));
    forgotten = changes.size();
    notifyAll();
  }

  @Override
  public RecoveryReport replay(ReplayHandler<String, StoredValue> handler) {
    return RecoveryReport.empty();
  }

  @Override
  public synchronized long append(Change<String, StoredValue> change) {
    changes.add(change);
    notifyAll();
    return changes.size();
  }

  @Override
  public synchronized ChangeStream<String, StoredValue> changes() {
    return new RetainedChangeStream(changes.size());
  }

  @Override
  public synchronized ChangeStream<String, StoredValue> changes(long since) {
    requireKept(since);
    return new RetainedChangeStream(since);
  }

  private void requireKept(long since) {
    if (since < forgotten) {
      throw new LogException.HistoryTruncated(since, forgotten);
    }
  }

  @Override
  public void close() {}

  private final class RetainedChangeStream implements ChangeStream<String, StoredValue> {
    private long sequence;

    RetainedChangeStream(long sequence) {
      this.sequence = sequence;
    }

    @Override
    public List<Sequenced<String, StoredValue>> next(Duration patience)
        throws InterruptedException {
      synchronized (TruncatingLog.this) {
        if (sequence == changes.size() && !patience.isZero()) {
          TruncatingLog.this.wait(patience.toMillis());
        }
        requireKept(sequence);
        List<Sequenced<String, StoredValue>> told = new ArrayList<>();
        while (sequence < changes.size()) {
          Change<String, StoredValue> change = changes.get((int) sequence++);
          told.add(new Sequenced<>(sequence, change));
        }
        return told;
      }
    }

    @Override
    public long sequence() {
      synchronized (TruncatingLog.this) {
        return sequence;
      }
    }

    @Override
    public void close() {}
  }
}
