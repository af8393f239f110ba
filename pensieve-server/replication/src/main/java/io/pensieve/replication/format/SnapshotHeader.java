package io.pensieve.replication.format;

import io.pensieve.replication.consensus.LogPosition;

/**
 * What a snapshot file begins with.
 *
 * <pre>
 *   file     = magic (8 bytes: PNSVRAFT) | block*
 *   block    = length i32 | crc32c i32 of the payload | payload
 *   payload  = HEADER   1 | format u8 (1) | term i64 | index i64 | chainTerm i64 | chainLast i64
 *                         | key codec string | value codec string      first, once
 *            | ENTRIES  2 | (version i64 | expiry i64 | key string | value string)*
 *            | REQUESTS 3 | (id string | millis i64 | changes varint
 *                         | (version i64 | flags u8 | value string if flag 4)*)*
 *            | END      4 | entries i64 | requests i64 | complete i64  last, once
 * </pre>
 *
 * <p>All numbers are big-endian; strings are as in {@link EntryHeader}. The entries come the least
 * recently used first. The file has every entry that the map had at {@code position}, or a later
 * state of it up to the change {@code complete}.
 *
 * @param position the last entry of the log that the file contains as a whole
 * @param chainTerm the term of the last lead that had begun at that position
 * @param chainLast the last sequence number at that position
 */
public record SnapshotHeader(LogPosition position, long chainTerm, long chainLast) {
  static final byte[] MAGIC = {'P', 'N', 'S', 'V', 'R', 'A', 'F', 'T'};
  static final int FORMAT = 1;
  static final int HEADER = 1;
  static final int ENTRIES = 2;
  static final int REQUESTS = 3;
  static final int END = 4;
  static final int FRAME_BYTES = 2 * Integer.BYTES;

  /**
   * What a snapshot file ends with.
   *
   * @param entries the number of its entries
   * @param requests the number of its requests
   * @param complete once the changes up to this one are applied to it, it is the state of the map;
   *     before, it may lack some and have others
   */
  public record End(long entries, long requests, long complete) {}
}
