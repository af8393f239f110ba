package io.pensieve.replication.format;

/**
 * The fixed part of an entry: all that is needed to decide whether it counts.
 *
 * <pre>
 *   entry   = format u8 (1) | kind u8 | term i64 | body
 *   BEGIN   = nonce i64
 *   CHANGES = before i64 | count i32 | item*
 *   item    = PUT      1 | key string | value string
 *           | EXPIRING 2 | expiry i64 | key string | value string
 *           | REMOVE   3 | key string
 *           | TOUCH    4 | key string
 *           | REQUEST  5 | id string | millis i64 | changes varint | effect u8 for each
 *   string  = length varint | bytes
 * </pre>
 *
 * <p>All numbers are big-endian. The changes of an entry have the sequence numbers {@code before +
 * 1} to {@code before + count}. Touches and requests have none and are not counted. A request
 * describes the changes that follow it.
 *
 * @param isBegin whether the entry begins a lead; otherwise it has changes
 * @param term the term in which its leader made it
 * @param nonce tells the begins that one node proposes in one term apart; 0 for changes
 * @param before the sequence number of the change before it, as its leader saw it; 0 for a begin
 * @param count the number of its changes; 0 for a begin
 */
public record EntryHeader(boolean isBegin, long term, long nonce, long before, int count) {
  static final int FORMAT = 1;
  static final int BEGIN = 1;
  static final int CHANGES = 2;
  static final int BEGIN_BYTES = 2 + 2 * Long.BYTES;
  static final int CHANGES_BYTES = 2 + 2 * Long.BYTES + Integer.BYTES;

  /** The sequence number of its last change. */
  public long last() {
    return before + count;
  }

  /** Reads the header of an entry. */
  public static EntryHeader read(byte[] entry) {
    return read(new ByteReader(entry));
  }

  static EntryHeader read(ByteReader in) {
    int format = in.int8();
    if (format != FORMAT) {
      throw new MalformedException("an entry of format " + FORMAT, "format " + format, 0);
    }
    int kind = in.int8();
    long term = in.int64();
    return switch (kind) {
      case BEGIN -> new EntryHeader(true, term, in.int64(), 0, 0);
      case CHANGES -> new EntryHeader(false, term, 0, in.int64(), in.int32());
      default -> throw new MalformedException("a kind of entry from 1 to 2", "kind " + kind, 1);
    };
  }
}
