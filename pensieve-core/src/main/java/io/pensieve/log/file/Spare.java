package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The next segment's file, filled with zeros in the background before it is needed. */
final class Spare {
  // One file at a time has the name; it is free again when its maker has ended, and not before: a
  // maker that goes on must not write zeros to a file that is a segment by now.

  private enum State {
    ABSENT,
    IN_THE_MAKING,
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

  Spare(LogDirectory directory, long bytes, Executor background) {
    this.disk = directory.disk();
    this.temporary = directory.temporary(LogDirectory.SPARE);
    this.bytes = bytes;
    this.background = background;
  }

  Path temporary() {
    return temporary;
  }

  /** Begins to make a spare unless there is one. */
  void prepare() {
    synchronized (this) {
      if (state != State.ABSENT) {
        return;
      }
      state = State.IN_THE_MAKING;
    }
    background.execute(this::make);
  }

  private void make() {
    Disk.File made = null;
    try {
      made = Segment.allocate(disk, temporary, bytes, this::isWanted);
    } catch (IOException noRoomNow) {
      // Not needed for anything but speed: the next segment then grows as it is written.
    } finally {
      made(made);
    }
  }

  private synchronized boolean isWanted() {
    return state == State.IN_THE_MAKING;
  }

  private synchronized void made(Disk.@Nullable File made) {
    file = made;
    if (state == State.STOPPING) {
      state = State.STOPPED;
    } else {
      state = made == null ? State.ABSENT : State.READY;
    }
    notifyAll();
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

  /** Makes no more, and waits until none is in the making. On a thread deaf to interrupts. */
  synchronized void stop() throws IOException {
    try {
      state = state == State.IN_THE_MAKING ? State.STOPPING : State.STOPPED;
      while (state == State.STOPPING) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody can interrupt the scribe", e);
    }
    if (file != null) {
      file.close();
      file = null;
    }
  }
}
