package io.pensieve.server.backup;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of a log that nobody writes, as a tar archive. Its length is known before it is read,
 * and it is read piece by piece. Any tar makes a log of it again. For one thread at a time.
 */
public final class BackupArchive implements Closeable {
  // The beginning of an archive, unpacked by any tar, is no log that opens with less. Only the
  // newest file says that the log was closed: without it, or its end, recovery asks for a ring, and
  // with it for each older file. Two empty blocks end an archive; BackupExtractor asks for them.

  /** The names of segments and bases. A log that was closed needs no other file. */
  static final Pattern NAME = Pattern.compile("[0-9a-f]{16}\\.(?:log|base)");

  static final int END_BYTES = 2 * TarHeader.BLOCK_BYTES;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private record Member(Path file, TarHeader header) {}

  private final List<Member> members;
  private int next; // the member whose header is read next; beyond the last one: the end
  private ByteBuffer block = NOTHING; // to be read before the rest of the file
  private @Nullable FileChannel file;
  private long fileBytesLeft;

  private BackupArchive(List<Member> members) {
    this.members = members;
  }

  /** Lists the files of a log in this folder. The log must have been closed. */
  public static BackupArchive of(Path folder) throws IOException {
    List<Member> members = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        String name = String.valueOf(file.getFileName());
        if (NAME.matcher(name).matches()) {
          long modified = Files.getLastModifiedTime(file).to(TimeUnit.SECONDS);
          members.add(new Member(file, new TarHeader(name, Files.size(file), modified)));
        }
      }
    }
    return new BackupArchive(members);
  }

  /** Returns how many bytes it has. */
  public long length() {
    long length = END_BYTES;
    for (Member member : members) {
      long bytes = member.header().bytes();
      length += TarHeader.BLOCK_BYTES + bytes + TarHeader.padding(bytes);
    }
    return length;
  }

  /** Fills the buffer with the next bytes. It stays empty at the end. */
  public void read(ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      if (block.hasRemaining()) {
        int count = Math.min(block.remaining(), into.remaining());
        into.put(block.slice().limit(count));
        block.position(block.position() + count);
      } else if (file != null) {
        readFile(file, into);
      } else if (next < members.size()) {
        open(members.get(next++));
      } else if (next == members.size()) {
        block = ByteBuffer.allocate(END_BYTES);
        next++;
      } else {
        return;
      }
    }
  }

  private void open(Member member) throws IOException {
    file = FileChannel.open(member.file(), StandardOpenOption.READ);
    fileBytesLeft = member.header().bytes();
    block = ByteBuffer.wrap(member.header().encode());
  }

  private void readFile(FileChannel from, ByteBuffer into) throws IOException {
    if (fileBytesLeft == 0) {
      block = ByteBuffer.allocate(TarHeader.padding(from.position()));
      file = null;
      from.close();
      return;
    }
    int end = into.limit();
    into.limit((int) Math.min(end, into.position() + fileBytesLeft));
    int count = from.read(into);
    into.limit(end);
    if (count < 0) {
      throw new IOException("a file became shorter while it was read");
    }
    fileBytesLeft -= count;
  }

  @Override
  public void close() throws IOException {
    FileChannel open = file;
    file = null;
    next = Integer.MAX_VALUE;
    if (open != null) {
      open.close();
    }
  }
}
