package io.pensieve.server.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes requests that are nearly valid out of valid ones, as a seed has it. */
final class RequestMutator {
  private static final String MEANT_BYTES = "\r\n \t:;,%/?&=\"{}[]\\*\0\u007f\u00e9\u00ff0-+";
  private static final Pattern NUMBER = Pattern.compile("\\d+");
  private static final List<String> ODD_NUMBERS =
      List.of(
          "0",
          "-1",
          "1",
          "00000000000000000013",
          "2147483647",
          "2147483648",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "99999999999999999999999999",
          "1e9",
          "0x10",
          "+5");
  private static final List<String> ODD_LINES =
      List.of(
          "Transfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked, identity\r\n",
          "Content-Length: 5\r\n",
          "Expect: 100-continue\r\n",
          "Expect: the-worst\r\n",
          "Connection: close\r\n",
          "Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
          "Content-Encoding: gzip\r\n",
          "Accept: application/json\r\n",
          "Authorization: Bearer x\r\n",
          "Host: other\r\n",
          "Cookie: a=b; c=\"\r\n",
          "If-Match: \"1\"\r\n",
          "If-None-Match: *\r\n",
          " folded\r\n",
          ": nameless\r\n",
          "\r\n");

  private final List<byte[]> valid;
  private final Random random;

  RequestMutator(List<byte[]> valid, Random random) {
    this.valid = valid;
    this.random = random;
  }

  /** The next one: mostly with up to four faults, rarely with none. */
  byte[] next() {
    byte[] request = anyValid();
    int faults = random.nextInt(5);
    for (int i = 0; i < faults; i++) {
      request = mutated(request);
    }
    return request;
  }

  private byte[] anyValid() {
    return valid.get(random.nextInt(valid.size()));
  }

  private byte[] mutated(byte[] request) {
    if (request.length == 0) {
      return request;
    }
    int at = random.nextInt(request.length);
    int end = Math.min(request.length, at + 1 + random.nextInt(16));
    byte[] rest = Arrays.copyOfRange(request, at, request.length);
    return switch (random.nextInt(9)) {
      case 0 -> flipped(request, at);
      case 1 -> joined(request, at, new byte[] {anyByte()}, rest);
      case 2 -> joined(request, at, new byte[0], Arrays.copyOfRange(request, end, request.length));
      case 3 -> joined(request, at, Arrays.copyOfRange(request, at, end), rest);
      case 4 -> Arrays.copyOf(request, at);
      case 5 -> spliced(request, at);
      case 6 -> withOddNumber(request);
      case 7 -> withOddLine(request);
      default -> joined(request, request.length, anyValid(), new byte[0]);
    };
  }

  private static byte[] flipped(byte[] request, int at) {
    byte[] flipped = request.clone();
    flipped[at] ^= (byte) (1 << (at % 8));
    return flipped;
  }

  private byte anyByte() {
    return random.nextBoolean()
        ? (byte) random.nextInt(256)
        : (byte) MEANT_BYTES.charAt(random.nextInt(MEANT_BYTES.length()));
  }

  private static byte[] joined(byte[] request, int upTo, byte[] middle, byte[] rest) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    joined.write(request, 0, upTo);
    joined.writeBytes(middle);
    joined.writeBytes(rest);
    return joined.toByteArray();
  }

  private byte[] spliced(byte[] request, int upTo) {
    byte[] other = anyValid();
    int from = random.nextInt(other.length);
    return joined(request, upTo, new byte[0], Arrays.copyOfRange(other, from, other.length));
  }

  private byte[] withOddNumber(byte[] request) {
    String text = new String(request, StandardCharsets.ISO_8859_1);
    Matcher number = NUMBER.matcher(text);
    if (!number.find(random.nextInt(text.length())) && !number.find(0)) {
      return request;
    }
    String odd = ODD_NUMBERS.get(random.nextInt(ODD_NUMBERS.size()));
    String changed = text.substring(0, number.start()) + odd + text.substring(number.end());
    return changed.getBytes(StandardCharsets.ISO_8859_1);
  }

  private byte[] withOddLine(byte[] request) {
    String text = new String(request, StandardCharsets.ISO_8859_1);
    int lineEnd = text.indexOf("\r\n", random.nextInt(text.length()));
    int at = lineEnd < 0 ? text.length() : lineEnd + 2;
    String odd = ODD_LINES.get(random.nextInt(ODD_LINES.size()));
    return (text.substring(0, at) + odd + text.substring(at)).getBytes(StandardCharsets.ISO_8859_1);
  }
}
