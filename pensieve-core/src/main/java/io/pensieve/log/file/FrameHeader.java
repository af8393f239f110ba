package io.pensieve.log.file;

/** The words before a frame's body. */
record FrameHeader(int length, int checksum, long position, long durable, long kindWord) {
  static FrameHeader of(byte[] bytes, int frame) {
    return new FrameHeader(
        Format.length(bytes, frame),
        Format.checksum(bytes, frame),
        Format.position(bytes, frame),
        Format.durable(bytes, frame),
        Format.wordAt(bytes, frame + Format.KIND_WORD_AT));
  }
}
