package io.pensieve.log;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;

/** Encodes strings in a charset, and refuses what would not come back as it was. */
record StringCodec(Charset charset) implements Codec<String> {
  StringCodec {
    if (!charset.canEncode()) {
      throw new IllegalArgumentException("a charset that cannot encode: " + charset);
    }
  }

  @Override
  public String name() {
    return "string:" + charset.name();
  }

  // Some charsets encode a character as a similar one, and have several encodings of one text. So
  // the bytes are decoded again.
  @Override
  public byte[] encode(String value) {
    try {
      ByteBuffer encoded = charset.newEncoder().encode(CharBuffer.wrap(value));
      byte[] bytes = new byte[encoded.remaining()];
      encoded.get(bytes);
      if (decode(bytes).equals(value)) {
        return bytes;
      }
    } catch (CharacterCodingException unmappable) {
      throw new IllegalArgumentException("not encodable as " + charset, unmappable);
    }
    throw new IllegalArgumentException("not encodable as " + charset + " without loss");
  }

  @Override
  public String decode(byte[] bytes) {
    try {
      return charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException malformed) {
      throw new IllegalArgumentException("not " + charset, malformed);
    }
  }
}
