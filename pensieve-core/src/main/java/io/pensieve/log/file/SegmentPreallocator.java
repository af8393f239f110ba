package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Prepares the next segment's file. Opens it before it is needed, so that a lack of descriptors
 * does not stop the log. Zeroes it in the background if forces must be fast.
 */
final class SegmentPreallocator {
  // One file at a time has the name. The name is free again only when the file's maker has ended.
  // Otherwise a maker that goes on could write zeros to a file that has become a segment.
  //
  // The log never depends on this file. If anything goes wrong here, the log writer creates the
  // next segment when it needs it.

  private enum State {
    ABSENT,
    IN_THE_MAKING,
    UNWANTED, // being made, and then discarded
    READY,
    STOPPING,
    STOPPED
  }

  private final Disk disk;
  private final Path temporary;
  private final long bytes;
  private final Executor background;

  @GuardedBy("this")
  private State state = State.ABSENT;

  @GuardedBy("this")
  private Disk.@Nullable File file; // present when READY

  /** Prepares files of so many zeros. If there are none, the calling thread does the work. */
  SegmentPreallocator(LogDirectory directory, long bytes, Executor background) {
    this.disk = directory.disk();
    this.temporary = directory.temporary(LogDirectory.SPARE);
    this.bytes = bytes;
    this.background = bytes == 0 ? Runnable::run : background;
  }

  Path temporary() {
    return temporary;
  }

  /** The bytes that the file takes. */
  long bytes() {
    return bytes;
  }

  /** Starts to prepare a file, unless there is one. */
  void prepare() {
    synchronized (this) {
      if (state != State.ABSENT) {
        return;
      }
      state = State.IN_THE_MAKING;
    }
    try {
      background.execute(this::make);
    } catch (RuntimeException | Error noThread) {
      made(null); // a later call retries
    }
  }

  private void make() {
    Disk.File made = null;
    try {
      made = Segment.allocate(disk, temporary, bytes, this::isWanted);
    } catch (IOException | RuntimeException | Error noRoomNow) {
      // allocate() has deleted the incomplete file.
    } finally {
      made(made);
    }
  }

  private synchronized boolean isWanted() {
    return state == State.IN_THE_MAKING;
  }

  private void made(Disk.@Nullable File made) {
    synchronized (this) {
      if (made != null && state == State.IN_THE_MAKING) {
        file = made;
        state = State.READY;
        notifyAll();
        return;
      }
    }
    if (made != null) {
      Segment.discard(disk, made, temporary);
    }
    synchronized (this) {
      state = state == State.STOPPING ? State.STOPPED : State.ABSENT;
      notifyAll();
    }
  }

  /** Hands the file to the caller, who then owns it; null if none is ready. */
  synchronized Disk.@Nullable File take() {
    if (state != State.READY) {
      return null;
    }
    Disk.File taken = file;
    state = State.ABSENT;
    file = null;
    return taken;
  }

  /** Deletes the file, to free its space for what the log really needs. */
  void releaseSpace() {
    if (bytes == 0) {
      return;
    }
    Disk.File taken = take();
    if (taken != null) {
      Segment.discard(disk, taken, temporary);
    }
    synchronized (this) {
      state = state == State.IN_THE_MAKING ? State.UNWANTED : state;
    }
  }

  /** Stops, and waits until no file is being made. For an uninterruptible thread. */
  void stop() {
    Disk.File left;
    synchronized (this) {
      boolean isMaking = state == State.IN_THE_MAKING || state == State.UNWANTED;
      state = isMaking || state == State.STOPPING ? State.STOPPING : State.STOPPED;
      try {
        while (state == State.STOPPING) {
          wait();
        }
      } catch (InterruptedException e) {
        throw new AssertionError("nobody can interrupt the log writer", e);
      }
      left = file;
      file = null;
    }
    if (left != null) {
      Segment.discard(disk, left, temporary);
    }
  }
}
