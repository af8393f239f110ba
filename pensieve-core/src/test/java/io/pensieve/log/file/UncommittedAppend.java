package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Makes a log's ring what it would be if one writer had died in its append. */
final class UncommittedAppend {
  private static final Path RING = SimulatedLog.FOLDER.resolve("ring");

  private UncommittedAppend() {}

  /** One frame: a change, or several that were appended together. */
  private record AppendedFrame(List<Event> events) {
    long end() {
      return events.get(events.size() - 1).sequence();
    }

    long position() {
      FrameEncoder draft =
          events.size() == 1
              ? FrameEncoder.of(events.get(0).change(), Codec.utf8(), Codec.utf8())
              : FrameEncoder.of(batch());
      long length = draft.length();
      draft.clear();
      return end() - Format.align((int) length);
    }

    private BatchFrame batch() {
      return BatchFrame.of(
          events.stream().map(Event::change).toList(), Codec.utf8(), Codec.utf8(), 1 << 20);
    }
  }

  /** Takes back one of the frames that are in the ring alone; of a log whose process is dead. */
  static void in(SimulatedLog log, Random random) {
    byte[] ring = log.disk.contents().get(RING);
    if (ring == null || ring.length <= FileHeader.BYTES) {
      return;
    }
    List<AppendedFrame> inRing = inRing(log, ring);
    if (!inRing.isEmpty()) {
      AppendedFrame appendedFrame = inRing.get(random.nextInt(inRing.size()));
      takeBack(log.disk, appendedFrame, ring, random);
      appendedFrame.events().forEach(log::forget);
    }
  }

  // A frame that was written to a segment may still be in the ring: its copy in the segment counts.
  private static List<AppendedFrame> inRing(SimulatedLog log, byte[] ring) {
    List<AppendedFrame> found = new ArrayList<>();
    long segmentEnd = segmentEnd(log.disk);
    List<Event> together = new ArrayList<>();
    for (Event event : log.history()) {
      together.add(event);
      if (!log.goesOn().contains(event.sequence())) {
        AppendedFrame appendedFrame = new AppendedFrame(List.copyOf(together));
        together.clear();
        long position = appendedFrame.position();
        if (position >= segmentEnd
            && Format.wordAt(ring, at(position, ring)) != 0
            && Format.wordAt(ring, at(position + Format.POSITION_AT, ring)) == position) {
          found.add(appendedFrame);
        }
      }
    }
    return found;
  }

  private static long segmentEnd(SimulatedDisk disk) {
    Map<Path, byte[]> rest = disk.contents();
    rest.remove(RING);
    try {
      Replayed replayed = SimulatedLog.read(SimulatedDisk.of(rest));
      List<Event> events = replayed.events();
      return events.isEmpty()
          ? disk.newestBase(SimulatedLog.FOLDER)
          : events.get(events.size() - 1).sequence();
    } catch (IOException | LogException noLogWithoutItsRing) {
      return Long.MAX_VALUE;
    }
  }

  private static int at(long position, byte[] ring) {
    int capacity = ring.length - FileHeader.BYTES;
    return FileHeader.BYTES + (int) (position & (capacity - 1));
  }

  private static void takeBack(
      SimulatedDisk disk, AppendedFrame frame, byte[] ring, Random random) {
    long position = frame.position();
    long from = position + 8L * random.nextInt((int) (frame.end() - position) / 8);
    for (long at = from; at < frame.end(); at += Long.BYTES) {
      ByteBuffer.wrap(ring).putLong(at(at, ring), 0);
    }
    ByteBuffer.wrap(ring).putLong(at(position, ring), 0);
    try (Disk.File file = disk.open(RING)) {
      file.write(ByteBuffer.wrap(ring), 0);
      file.force(); // else a power cut could bring it back
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }
}
