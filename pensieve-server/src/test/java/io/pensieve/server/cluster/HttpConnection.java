package io.pensieve.server.cluster;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A connection to a server that repeats nothing by itself. Not for several threads. */
final class HttpConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS = 1_000;
  private static final int LINE_BYTES_MAX = 1 << 14;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) .*");

  private final String host;
  private final Socket socket = new Socket();
  private final InputStream in;

  /** A response with its header fields by their names in small letters. */
  record Response(int status, Map<String, String> fields, String body) {
    String field(String name) {
      return fields.getOrDefault(name, "");
    }
  }

  HttpConnection(InetSocketAddress address, int silenceMillisMax) throws IOException {
    host = address.getHostString() + ":" + address.getPort();
    try {
      socket.setTcpNoDelay(true);
      socket.connect(address, CONNECT_MILLIS);
      socket.setSoTimeout(silenceMillisMax);
      in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException notThere) {
      socket.close();
      throw notThere;
    }
  }

  /** Sends a request; {@code fields} are lines that end in CR LF. */
  Response send(String method, String target, String fields, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        method
            + " "
            + target
            + " HTTP/1.1\r\nHost: "
            + host
            + "\r\nContent-Length: "
            + bytes.length
            + "\r\n"
            + fields
            + "\r\n";
    byte[] headBytes = head.getBytes(StandardCharsets.ISO_8859_1);
    byte[] request = new byte[headBytes.length + bytes.length];
    System.arraycopy(headBytes, 0, request, 0, headBytes.length);
    System.arraycopy(bytes, 0, request, headBytes.length, bytes.length);
    socket.getOutputStream().write(request);
    return receive();
  }

  private Response receive() throws IOException {
    Matcher status = STATUS.matcher(line());
    if (!status.matches()) {
      throw new IOException("no response: " + status);
    }
    Map<String, String> fields = new HashMap<>();
    for (String field = line(); !field.isEmpty(); field = line()) {
      int colon = field.indexOf(':');
      fields.put(
          field.substring(0, colon).toLowerCase(Locale.ROOT), field.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(fields.getOrDefault("content-length", "0"));
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new EOFException("cut off in the body");
    }
    return new Response(
        Integer.parseInt(status.group(1)), fields, new String(body, StandardCharsets.UTF_8));
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0 || line.length() > LINE_BYTES_MAX) {
        throw new EOFException("cut off in the head");
      }
      line.append((char) next);
    }
    int end = line.length() - 1;
    return end >= 0 && line.charAt(end) == '\r' ? line.substring(0, end) : line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
