package io.pensieve.replication.ratis;

import org.apache.ratis.protocol.Message;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/**
 * An entry on its way into the leader's log, with the term in which the caller believes to lead.
 * The term stays in this process: the fence looks at it just before the entry is appended.
 */
record ProposedEntry(long term, ByteString content) implements Message {

  static ProposedEntry of(long term, byte[] entry) {
    return new ProposedEntry(term, UnsafeByteOperations.unsafeWrap(entry));
  }

  @Override
  public ByteString getContent() {
    return content;
  }
}
