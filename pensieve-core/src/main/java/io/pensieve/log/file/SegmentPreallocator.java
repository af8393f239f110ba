package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The next segment's file, opened before it is needed, so that a lack of descriptors does not stop
 * the log; and filled with zeros in the background, if forces are to be fast.
 */
final class SegmentPreallocator {
  // One file at a time has the name; it is free again when its maker has ended, and not before: a
  // maker that goes on must not write zeros to a file that is a segment by now.
  //
  // It is never needed: whatever goes wrong with it, the next segment is made when its time comes.

  private enum State {
    ABSENT,
    IN_THE_MAKING,
    UNWANTED, // in the making, to be given up
    READY,
    STOPPING,
    STOPPED
  }

  private final Disk disk;
  private final Path temporary;
  private final long bytes;
  private final Executor background;
  private State state = State.ABSENT; // guarded by this
  private Disk.@Nullable File file; // guarded by this; present when READY

  /** A spare of so many zeros; of none, it is made by the calling thread. */
  SegmentPreallocator(LogDirectory directory, long bytes, Executor background) {
    this.disk = directory.disk();
    this.temporary = directory.temporary(LogDirectory.SPARE);
    this.bytes = bytes;
    this.background = bytes == 0 ? Runnable::run : background;
  }

  Path temporary() {
    return temporary;
  }

  /** How much room it takes. */
  long bytes() {
    return bytes;
  }

  /** Begins to make a spare unless there is one. */
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
      made(null); // it is made another time
    }
  }

  private void make() {
    Disk.File made = null;
    try {
      made = Segment.allocate(disk, temporary, bytes, this::isWanted);
    } catch (IOException | RuntimeException | Error noRoomNow) {
      // What there was of it is deleted.
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
      discard(disk, made, temporary);
    }
    synchronized (this) {
      state = state == State.STOPPING ? State.STOPPED : State.ABSENT;
      notifyAll();
    }
  }

  /** The file if it is ready; it is the caller's then. */
  synchronized Disk.@Nullable File take() {
    if (state != State.READY) {
      return null;
    }
    Disk.File taken = file;
    state = State.ABSENT;
    file = null;
    return taken;
  }

  /** Gives back the room that it takes: there is none left for what is really needed. */
  void releaseSpace() {
    if (bytes == 0) {
      return;
    }
    Disk.File taken = take();
    if (taken != null) {
      discard(disk, taken, temporary);
    }
    synchronized (this) {
      state = state == State.IN_THE_MAKING ? State.UNWANTED : state;
    }
  }

  /**
   * Closes and deletes a file that is nobody's; what cannot be deleted goes at the next opening.
   */
  static void discard(Disk disk, Disk.File file, Path temporary) {
    // Not try-with-resources: that refuses an OutOfMemoryError which is thrown twice, and its
    // refusal would look like a failure of the disk.
    try {
      try {
        disk.delete(temporary);
      } finally {
        file.close();
      }
    } catch (IOException leftToTheNextOpening) {
      // It has a temporary name, and so does not count.
    }
  }

  /** Makes no more, and waits until none is in the making. On a thread deaf to interrupts. */
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
        throw new AssertionError("nobody can interrupt the scribe", e);
      }
      left = file;
      file = null;
    }
    if (left != null) {
      discard(disk, left, temporary);
    }
  }
}
