package io.pensieve.server.http.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class FramingValidatorTest {
  private static final int HEAD_BYTES_MAX = 1 << 10;
  private static final String BEFORE = "GET /a HTTP/1.1\r\nHost: a\r\nX: ";
  private static final String BEHIND = "\r\n\r\n";

  @Test
  void everyByteOfAFieldIsCheckedWhereverItIsAndHoweverItArrives() {
    for (int before = 0; before <= 17; before++) {
      for (int behind : new int[] {0, 1, 7, 8, 9}) {
        for (int b = 0; b < 256; b++) {
          String head = BEFORE + "v".repeat(before) + (char) b + "v".repeat(behind) + BEHIND;
          boolean isText = (b >= ' ' && b != 0x7f) || b == '\t';
          String what = b + " behind " + before + " and before " + behind;
          // A CR at the very end begins the line end too early: CR CR LF.
          assertAccepted(isText, head, head.length(), what);
          assertAccepted(isText, head, 5, what);
        }
      }
    }
  }

  /** Offers pieces of this length, each time with what was left of those before. */
  private static void assertAccepted(boolean isSound, String head, int piece, String what) {
    FramingValidator framing = new FramingValidator(HEAD_BYTES_MAX);
    ByteBuffer bytes = ByteBuffer.wrap(head.getBytes(StandardCharsets.ISO_8859_1));
    int accepted = 0;
    for (int limit = 0; limit < head.length() && framing.fault() == null; ) {
      limit = Math.min(limit + piece, head.length());
      accepted = framing.accept(bytes, accepted, limit);
    }
    if (isSound) {
      assertNull(framing.fault(), what);
      assertEquals(head.length(), accepted, what);
    } else {
      assertEquals(FramingError.CONTROL, framing.fault(), what);
      assertEquals(0, accepted, what);
    }
  }
}
