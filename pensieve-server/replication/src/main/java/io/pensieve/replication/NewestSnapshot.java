package io.pensieve.replication;

import io.pensieve.replication.RaftStatus.SavedSnapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The newest snapshot of this member: one that it has saved, or one that it was loaded from. */
final class NewestSnapshot {
  private record Known(long index, long bytes, long nanos) {}

  private volatile @Nullable Known newest;

  /** It was saved now. */
  void saved(long index, long bytes) {
    newest = new Known(index, bytes, System.nanoTime());
  }

  /** The map was loaded from this file, which may be of an earlier process. */
  void loaded(long index, Path file) throws IOException {
    long ageMillis = System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis();
    long nanos = TimeUnit.MILLISECONDS.toNanos(Math.max(0, ageMillis)); // the clock may be set back
    newest = new Known(index, Files.size(file), System.nanoTime() - nanos);
  }

  Optional<SavedSnapshot> get() {
    Known known = newest;
    return known == null
        ? Optional.empty()
        : Optional.of(
            new SavedSnapshot(
                known.index(), known.bytes(), Duration.ofNanos(System.nanoTime() - known.nanos())));
  }
}
