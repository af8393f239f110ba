package io.pensieve.log.file;

import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The only one that writes to segments: carries frames from the ring to the disk, and forces. */
final class Scribe implements Runnable {
  // Only the thread in run() touches the segment, so no interrupt of a caller can close its file.
  // Its order is: write, release the ring's room, force, publish durable, wake who waits for that,
  // and then the streams. A frame is in the ring until it is in a segment, so the death of the
  // process never finds it in neither.

  private static final int BATCH_BYTES_MAX = 1 << 20;
  private static final long FORCE_NANOS = 100_000_000;
  // Earlier if there is much to force: writers go on meanwhile, until the ring is full.
  private static final int FORCE_BYTES = 4 << 20;
  private static final long SPIN_NANOS = 20_000;
  private static final long IDLE_NANOS_MIN = 1_000_000;
  private static final long IDLE_NANOS_MAX = 10_000_000;
  private static final int TRIMMED_SHARE = 16;

  private final LogDirectory directory;
  private final FreeSpace space;
  private final Disk.Lock lock;
  private final Ring ring;
  private final long salt;
  private final FileLog.Settings settings;
  private final Acknowledgements acknowledgements;
  private final Horizon horizon;
  private final LongSupplier nanoTime;
  private final Spare spare;

  private Segment segment;
  private long written;
  private long lastForceNanos;
  private long lastRoomNanos;
  private long idleNanos = IDLE_NANOS_MIN;

  private volatile @Nullable Thread thread;
  private volatile boolean parked;
  private volatile boolean hasRoom = true; // enough free space to accept puts
  private volatile boolean finished;
  private volatile long forceUpTo; // stored by the compactor only
  private final AtomicLong forces = new AtomicLong();
  private volatile @Nullable IOException brokenElsewhere;

  Scribe(
      LogDirectory directory,
      FreeSpace space,
      Disk.Lock lock,
      Beginning.Start start,
      FileLog.Settings settings,
      Acknowledgements acknowledgements,
      Horizon horizon,
      LongSupplier nanoTime,
      Executor background) {
    this.directory = directory;
    this.space = space;
    this.lock = lock;
    this.ring = start.ring();
    this.salt = start.salt();
    this.segment = start.segment();
    this.settings = settings;
    this.acknowledgements = acknowledgements;
    this.horizon = horizon;
    this.nanoTime = nanoTime;
    this.spare =
        new Spare(directory, Format.FILE_HEADER_BYTES + settings.segmentBytes(), background);
    this.written = ring.released();
    this.lastForceNanos = nanoTime.getAsLong();
    this.lastRoomNanos = lastForceNanos - FORCE_NANOS;
  }

  boolean hasRoom() {
    return hasRoom;
  }

  /** Everything is written and forced, and the segment closed; or the log has failed. */
  boolean isFinished() {
    return finished;
  }

  /** The log is to fail, because of something that its files depend on. */
  void failBecauseOf(IOException broken) {
    brokenElsewhere = broken;
  }

  /** Throws if the folder is not this log's any more. For any thread. */
  void confirmFolder() throws IOException {
    lock.confirm();
  }

  /** Somebody waits for this position to be forced. For one thread. */
  void forceUpTo(long position) {
    forceUpTo = position;
    wake();
  }

  /** How often the log was forced. */
  long forces() {
    return forces.get();
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    while (!finished) {
      if (!step()) {
        rest();
      }
    }
  }

  /** Does what there is to do now, and answers whether there was anything. */
  boolean step() {
    try {
      IOException broken = brokenElsewhere;
      if (broken != null) {
        throw broken;
      }
      long now = nanoTime.getAsLong();
      lookForRoom(now);
      boolean moved = transfer();
      boolean forced = forceIfDue(now);
      if (acknowledgements.someoneArrived()) {
        acknowledgements.wakeAcknowledged();
      }
      horizon.wake();
      if (!moved && ring.isSealed() && ring.released() == ring.end()) {
        finish();
      }
      return moved || forced || finished;
    } catch (IOException | RuntimeException | Error broken) {
      fail(broken);
      return false;
    }
  }

  private boolean transfer() throws IOException {
    int first = ring.committedBytes(written);
    if (first == 0) {
      return false;
    }
    if (segment.room(written) < first && !segment.isEmpty(written) && !roll()) {
      return false;
    }
    long bytesMax = Math.max(first, Math.min(BATCH_BYTES_MAX, segment.room(written)));
    long end = ring.committedEnd(written, bytesMax);
    if (!write(ring.slices(written, end))) {
      return false;
    }
    ring.release(written, end);
    written = end;
    return true;
  }

  private boolean write(ByteBuffer[] frames) throws IOException {
    try {
      segment.write(frames, written);
      return true;
    } catch (IOException refused) {
      return waitForRoom(refused);
    }
  }

  // Only of writes, which may be repeated. The frames stay in the ring meanwhile.
  private boolean waitForRoom(IOException refused) throws IOException {
    space.look();
    if (!space.isShort() || ring.isSealed()) {
      throw refused;
    }
    hasRoom = false;
    return false;
  }

  private void lookForRoom(long now) throws IOException {
    if (now - lastRoomNanos >= FORCE_NANOS) {
      lastRoomNanos = now;
      lock.renew();
      lock.confirm();
      space.look();
      hasRoom = !space.isShort();
    }
  }

  private boolean roll() throws IOException {
    force();
    Disk.File file = spare.take();
    Path temporary = file == null ? directory.temporary(LogDirectory.NEXT) : spare.temporary();
    if (file == null) {
      try {
        file = directory.disk().create(temporary);
      } catch (IOException refused) {
        return waitForRoom(refused);
      }
    }
    trimSegment();
    segment.close();
    Format.FileHeader header = Format.FileHeader.segment(written, written, salt);
    segment = Segment.publish(directory, file, temporary, header, settings.segmentBytes());
    horizon.newestSegment(written);
    allocateSpare();
    return true;
  }

  // Where frames are large, much of what was allocated may be left over.
  private void trimSegment() throws IOException {
    boolean isAllocated = settings.durability() == Durability.POWER_CUT;
    if (isAllocated && segment.room(written) > settings.segmentBytes() / TRIMMED_SHARE) {
      segment.trim(written);
    }
  }

  /** Has the next segment filled with zeros, in the background, if forces are to be fast. */
  void allocateSpare() {
    if (settings.durability() == Durability.POWER_CUT) {
      spare.prepare();
    }
  }

  private boolean forceIfDue(long now) throws IOException {
    long unforced = written - acknowledgements.durable();
    if (unforced == 0) {
      lastForceNanos = now;
      return false;
    }
    boolean isDue =
        settings.durability() == Durability.POWER_CUT
            || unforced >= FORCE_BYTES
            || now - lastForceNanos >= FORCE_NANOS
            || acknowledgements.durable() < forceUpTo;
    if (isDue) {
      force();
      lastForceNanos = now;
    }
    return isDue;
  }

  // The folder is confirmed after the force: whoever took it before has not read what was forced,
  // and whoever takes it afterwards reads it.
  private void force() throws IOException {
    segment.force();
    lock.confirm();
    forces.incrementAndGet(); // whoever is acknowledged finds it counted
    ring.forced(written);
    acknowledgements.publish(written);
  }

  private void finish() throws IOException {
    force();
    byte[] marker =
        Format.bareFrame(Format.CLOSE, Format.FRAME_HEADER_BYTES, written, written, salt);
    segment.write(new ByteBuffer[] {ByteBuffer.wrap(marker)}, written);
    segment.trim(written + marker.length);
    segment.force();
    closeFiles();
    acknowledgements.publish(Long.MAX_VALUE);
    finished = true;
    horizon.end();
  }

  private void fail(Throwable broken) {
    ring.seal();
    acknowledgements.fail(
        new LogException.Failed(
            segment.path() + ": the log failed and takes no more writes: " + broken, broken));
    try {
      closeFiles();
    } catch (IOException alsoBroken) {
      broken.addSuppressed(alsoBroken);
    }
    finished = true;
    horizon.end();
  }

  private void closeFiles() throws IOException {
    spare.stop();
    segment.close();
  }

  private void rest() {
    if (settings.durability() == Durability.POWER_CUT && spin()) {
      idleNanos = IDLE_NANOS_MIN;
      return;
    }
    parked = true;
    // Looked at again after `parked` is stored: whoever commits and then does not see it, is seen.
    if (isIdle()) {
      LockSupport.parkNanos(this, idleNanos);
      idleNanos = Math.min(2 * idleNanos, IDLE_NANOS_MAX);
    }
    parked = false;
    if (!isIdle()) {
      idleNanos = IDLE_NANOS_MIN;
    }
  }

  private boolean spin() {
    long start = System.nanoTime();
    while (isIdle()) {
      if (System.nanoTime() - start > SPIN_NANOS) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  private boolean isIdle() {
    return ring.committedBytes(written) == 0
        && !ring.isSealed()
        && !acknowledgements.someoneArrived();
  }

  /** Wakes the scribe if it rests. Cheap if it does not. */
  void wake() {
    if (parked) {
      LockSupport.unpark(thread);
    }
  }
}
