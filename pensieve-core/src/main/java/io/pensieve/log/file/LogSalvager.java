package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Copies the readable part of a log that may be damaged anywhere. */
final class LogSalvager {
  // Three cases:
  // 1. Recovery accepts the log. Copy what recovery reads, frame by frame, up to the end that it
  //    finds.
  // 2. Recovery accepts the log without its newest base, because the history before is still there.
  //    Copy likewise.
  // 3. Any other log. Copy every frame that names its position under a right checksum. Report what
  //    lies between two of them as lost. Report known missing parts, too: up to where a segment
  //    says that its predecessor ended, or a frame says that all was forced.

  static final ReplayHandler<byte[], byte[]> SILENT =
      new ReplayHandler<>() {
        @Override
        public void change(long sequence, Change<byte[], byte[]> change) {}

        @Override
        public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {}

        @Override
        public void progress(long bytesRead, long bytesTotal) {}
      };

  private static final String UNFINISHED_END = "an end that was never finished, as after any crash";
  private static final long POSITION_MAX = 1L << 62; // a larger position is damaged
  private static final int BASE_BATCH_BYTES = 256 << 10;

  private final LogCopy copy;
  private final List<SalvageReport.Damage> damages = new ArrayList<>();
  private final Set<Long> salts = new LinkedHashSet<>();
  private long until = Long.MAX_VALUE; // copies the history up to here
  private long reached; // all before is copied, or reported
  private long forced; // the log was once forced up to here
  private boolean closed; // the frame copied last is a close marker
  private long highest; // the highest known position

  private LogSalvager(LogCopy copy) {
    this.copy = copy;
  }

  static List<SalvageReport.Damage> run(Disk from, Path folder, Disk to, Path into)
      throws IOException {
    LogDirectory directory = new LogDirectory(from, folder);
    LogCopy copy = LogCopy.create(to, into, codecs(directory));
    try {
      return new LogSalvager(copy).copy(directory);
    } catch (IOException | RuntimeException | Error broken) {
      copy.discardAfter(broken);
      throw broken;
    }
  }

  /** The codecs of the newest segment that names any. */
  private static CodecNames codecs(LogDirectory directory) throws IOException {
    CodecNames newest = CodecNames.NONE;
    for (long position : directory.segments()) {
      Path path = directory.segment(position);
      try (Disk.File file = directory.disk().open(path)) {
        byte[] page = SalvageFile.page(file);
        CodecNames names =
            FileHeader.isIntact(page) ? CodecNames.read(page, path) : CodecNames.NONE;
        newest = names.equals(CodecNames.NONE) ? newest : names;
      } catch (LogException.Corrupt damaged) {
        // Then another segment's names count.
      }
    }
    return newest;
  }

  private List<SalvageReport.Damage> copy(LogDirectory directory) throws IOException {
    List<Long> bases = directory.bases();
    LogDirectory view = directory;
    RecoveredState sound = recovered(view);
    for (int newest = bases.size() - 1; sound == null && newest >= 0; newest--) {
      view = directory.withoutBase(bases.get(newest));
      sound = recovered(view);
    }
    if (sound != null) {
      until = sound.end();
    }
    read(sound == null ? directory : view);
    if (sound != null) {
      damages.clear(); // recovery has found none
      for (Path unused : basesOf(directory, view)) {
        damage(
            unused,
            0,
            0,
            false,
            "a base that is not needed, since the changes before it are there; the order of use is"
                + " that of the changes");
      }
      noteUnfinishedEnd(sound.newest(), sound.tornBytes());
    }
    copy.finish(highest);
    return damages;
  }

  private void noteUnfinishedEnd(RecoveredState.@Nullable NewestSegment newest, long bytes) {
    if (newest != null && bytes > 0) {
      damage(newest.path(), newest.offset(until), bytes, false, UNFINISHED_END);
    }
  }

  private static @Nullable RecoveredState recovered(LogDirectory view) {
    try {
      return new Recovery<>(
              view, Codec.bytes(), Codec.bytes(), SILENT, ReplayPipeline.Settings.ofThreads(1))
          .run()
          .recovered();
    } catch (LogException.Corrupt | IOException damaged) {
      return null;
    }
  }

  private static List<Path> basesOf(LogDirectory all, LogDirectory view) throws IOException {
    List<Long> bases = new ArrayList<>(all.bases());
    bases.removeAll(view.bases());
    return bases.stream().map(all::base).toList();
  }

  private void damage(Path file, long offset, long bytes, boolean losesSomething, String meaning) {
    damages.add(new SalvageReport.Damage(file, offset, bytes, losesSomething, meaning));
  }

  private static String changes(long from, long to) {
    return "changes at positions "
        + from
        + " to "
        + to
        + "; a key that was changed there may have an older value, or be back although it was"
        + " removed";
  }

  private void read(LogDirectory directory) throws IOException {
    if (directory.isUnfinished()) {
      damage(
          directory.unfinished(),
          0,
          0,
          true,
          "a copy that was not finished: whatever is not in it");
    }
    readSalts(directory);
    copyBase(directory);
    copySegments(directory);
    if (forced > reached) {
      damage(directory.folder(), 0, 0, true, "in no file: " + changes(reached, forced));
    }
    know(forced);
  }

  // Opens two segments at a time: a log may have more segments than files that may be open.
  private void copySegments(LogDirectory directory) throws IOException {
    List<Long> positions = new ArrayList<>(directory.segments());
    // A base supersedes all older changes, even if it is damaged.
    while (positions.size() > 1 && positions.get(1) <= reached) {
      positions.remove(0);
    }
    SalvageFile newest = positions.isEmpty() ? null : open(directory, positions.get(0));
    try {
      for (int i = 0; newest != null && i < positions.size(); i++) {
        SalvageFile next = i + 1 < positions.size() ? open(directory, positions.get(i + 1)) : null;
        try {
          copySegment(directory, newest, next);
        } finally {
          if (next != null) {
            newest.close();
            newest = next;
          }
        }
      }
      copyRing(directory, newest);
      if (newest != null && newest.reader() != null) {
        noteUnfinishedEnd(newest, newest.reader());
      }
    } finally {
      if (newest != null) {
        newest.close();
      }
    }
  }

  private SalvageFile open(LogDirectory directory, long position) throws IOException {
    Path path = directory.segment(position);
    return SalvageFile.open(directory.disk(), path, FileHeader.SEGMENT, position, salts);
  }

  private void noteUnfinishedEnd(SalvageFile newest, FrameReader reader) throws IOException {
    if (reached < newest.limit() && forced <= reached) {
      reader.seek(reached);
      long end = reader.contentEnd();
      if (end > reached) {
        damage(newest.path(), newest.offset(reached), end - reached, false, UNFINISHED_END);
      }
    }
  }

  private void know(long position) {
    if (position <= POSITION_MAX) {
      highest = Math.max(highest, position);
    }
  }

  private void readSalts(LogDirectory directory) throws IOException {
    for (long position : directory.segments()) {
      try (Disk.File file = directory.disk().open(directory.segment(position))) {
        byte[] page = SalvageFile.page(file);
        if (FileHeader.isIntact(page)) {
          salts.add(FileHeader.salt(page));
        }
      }
    }
    if (directory.hasRing()) {
      Long salt = SalvageRing.salt(directory);
      if (salt != null) {
        salts.add(salt);
      }
    }
  }

  private void copyBase(LogDirectory directory) throws IOException {
    List<Long> bases = directory.bases();
    for (int newest = bases.size() - 1; newest >= 0; newest--) {
      long position = bases.get(newest);
      Path path = directory.base(position);
      try (SalvageFile base =
          SalvageFile.open(directory.disk(), path, FileHeader.BASE, position, Set.of())) {
        FrameReader reader = base.reader();
        if (base.headerDamage() != null) {
          damage(path, 0, FileHeader.BYTES, reader == null, header(base));
        }
        if (reader != null && base.firstPosition() <= POSITION_MAX && base.firstPosition() >= 0) {
          BaseWriter writer = copy.beginBase(base.firstPosition());
          copyEntries(base, reader, writer);
          copy.endBase(base.firstPosition());
          reached = base.firstPosition();
          know(reached);
          return;
        }
      }
    }
  }

  private static String header(SalvageFile file) {
    return "the header ("
        + file.headerDamage()
        + ")"
        + (file.reader() == null ? "; without it nothing in the file can be told from damage" : "");
  }

  private void copyEntries(SalvageFile base, FrameReader reader, BaseWriter writer)
      throws IOException {
    boolean isWhole = false;
    while (!isWhole && reader.position() < base.bytes()) {
      long at = reader.position();
      if (!reader.next()) {
        reader.seekFrame();
        entriesLost(base, at, reader.position());
      } else if (!reader.isUnderstood(Format.OF_BASE)) {
        entriesLost(base, at, reader.position());
      } else if (reader.kind() == Format.FOOTER) {
        forced = Math.max(forced, reader.durable());
        isWhole = true;
      } else if (reader.version() <= 0 || reader.version() > writer.position()) {
        entriesLost(base, at, reader.position());
      } else {
        writer.add(reader.key(), reader.value(), reader.expiryMillis(), reader.version());
        if (writer.buffered() >= BASE_BATCH_BYTES) {
          writer.write();
        }
      }
    }
    if (!isWhole) {
      entriesLost(base, base.bytes(), base.bytes());
    }
  }

  private void entriesLost(SalvageFile base, long from, long to) {
    damage(
        base.path(),
        FileHeader.BYTES + from,
        to - from,
        true,
        from == to
            ? "the end of the saved entries; how many are missing is not known"
            : "saved entries; one that was not changed later is missing");
  }

  private void copySegment(LogDirectory directory, SalvageFile segment, @Nullable SalvageFile next)
      throws IOException {
    closed = false;
    checkStart(directory, segment);
    long end = end(segment, next);
    FrameReader reader = segment.reader();
    if (segment.headerDamage() != null) {
      damage(segment.path(), 0, FileHeader.BYTES, reader == null, header(segment));
    }
    know(Math.min(end, segment.limit()));
    forced = Math.max(forced, segment.firstPosition());
    if (reader != null) {
      copyFrames(segment, reader, end);
    }
    if (next != null && reached < end) {
      lost(segment, reached, end);
      reached = end;
    }
  }

  // A segment with a damaged header does not say where its predecessor ended.
  private void checkStart(LogDirectory directory, SalvageFile segment) {
    long first = segment.firstPosition();
    boolean isKnown = segment.previousEnd() != SalvageFile.UNKNOWN;
    long previousEnd = isKnown ? segment.previousEnd() : first;
    boolean mayBeSkipped = !isKnown && first - reached >= SequenceOrigin.POSITIONS_SKIPPED;
    if (previousEnd > reached && !mayBeSkipped) {
      damage(directory.folder(), 0, 0, true, "in no file: " + changes(reached, previousEnd));
    }
    reached = Math.max(reached, first);
  }

  private static long end(SalvageFile segment, @Nullable SalvageFile next) {
    if (next == null) {
      return Long.MAX_VALUE;
    }
    return next.previousEnd() == SalvageFile.UNKNOWN
        ? Math.min(segment.limit(), next.firstPosition())
        : Math.min(next.previousEnd(), next.firstPosition());
  }

  private void copyFrames(SalvageFile segment, FrameReader reader, long end) throws IOException {
    reader.seek(reached);
    while (reader.position() < Math.min(end, segment.limit()) && reader.position() < until) {
      long position = reader.position();
      if (!reader.next()) {
        if (!reader.seekFrame() || reader.position() >= end) {
          return; // what is lost depends on what follows
        }
        lost(segment, position, reader.position());
      } else if (!reader.isUnderstood(Format.OF_SEGMENT)) {
        lost(segment, position, reader.position());
      } else if (reader.kind() != Format.CLOSE) {
        forced = Math.max(forced, reader.durable());
        copy.add(reader.frameBytes(), position);
      }
      closed = reader.kind() == Format.CLOSE;
      reached = reader.position();
    }
  }

  private void lost(SalvageFile segment, long from, long to) {
    long bytes = Math.max(0, Math.min(to, segment.limit()) - from);
    damage(segment.path(), segment.offset(from), bytes, true, changes(from, to));
  }

  private void copyRing(LogDirectory directory, @Nullable SalvageFile newest) throws IOException {
    if (!directory.hasRing()) {
      if (newest != null && !closed) {
        damage(directory.ring(), 0, 0, true, "the last changes: the ring is missing");
      }
      return;
    }
    SalvageRing ring = SalvageRing.read(directory, salts, newest == null ? null : newest.salt());
    if (ring.headerDamage() != null) {
      damage(ring.path(), 0, FileHeader.BYTES, false, "the header (" + ring.headerDamage() + ")");
    }
    for (SalvageRing.Frame frame : ring.frames()) {
      if (frame.position() >= reached && frame.position() < until) {
        copyRingFrame(ring, frame, newest);
      }
    }
    if (ring.acknowledged() - reached > SequenceOrigin.POSITIONS_SKIPPED) {
      String meaning = "how far the log was forced; the last changes may be missing";
      damage(ring.path(), 0, FileHeader.BYTES, true, meaning);
    } else {
      forced = Math.max(forced, ring.acknowledged());
    }
    if (ring.isDamagedAt(reached)) {
      damage(ring.path(), ring.offset(reached), 0, true, "the last " + changes(reached, highest));
    }
    if (ring.missingBytes() > 0) {
      damage(ring.path(), 0, 0, true, ring.missingBytes() + " bytes at its end: the last changes");
    }
  }

  private void copyRingFrame(
      SalvageRing ring, SalvageRing.Frame frame, @Nullable SalvageFile newest) throws IOException {
    long position = frame.position();
    if (position > reached && !ring.isHole(reached)) {
      boolean wasInSegment = newest != null && reached < newest.limit();
      if (newest != null && wasInSegment) {
        lost(newest, reached, position);
      } else {
        damage(
            ring.path(),
            ring.offset(reached),
            position - reached,
            true,
            changes(reached, position));
      }
    }
    if (!ring.isUnderstood(frame)) {
      damage(
          ring.path(), ring.offset(position), frame.bytes(), true, changes(position, frame.end()));
    } else if (ring.kind(frame) != Format.CLOSE) {
      forced = Math.max(forced, ring.durable(frame));
      copy.add(ring.bytes(frame), position);
    }
    reached = frame.end();
    know(reached);
  }
}
