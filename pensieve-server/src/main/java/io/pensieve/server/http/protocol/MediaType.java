package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.util.Locale;
import java.util.regex.Pattern;

/** Checks the headers that describe a request's body. */
public final class MediaType {
  private static final String JSON = "application/json";

  // RFC 9110, 8.3.1: type/subtype, and parameters whose values are tokens or quoted.
  private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
  private static final Pattern TYPE =
      Pattern.compile(
          TOKEN
              + "/"
              + TOKEN
              + "(?:[ \t]*;[ \t]*"
              + TOKEN
              + "=(?:"
              + TOKEN
              + "|\"(?:[\t !#-\\[\\]-~]|\\\\[\t -~])*+\"))*+");

  private MediaType() {}

  /** Rejects everything but uncompressed JSON in UTF-8. */
  public static void requireJson(HeaderMap headers) {
    HeaderValues types = headers.get(Headers.CONTENT_TYPE);
    if (types == null || types.size() != 1 || !isJson(types.getFirst())) {
      throw ProblemType.UNSUPPORTED_MEDIA_TYPE.withDetail("the Content-Type must be " + JSON);
    }
    requireNoContentEncoding(headers);
  }

  /**
   * Returns the type of a value to be stored, as it was sent; empty if there is none.
   *
   * @throws io.pensieve.server.http.json.ProblemException if it is not a media type, or the value
   *     is compressed: the server returns the stored bytes unchanged, also to clients that did not
   *     ask for compression
   */
  public static String ofValue(HeaderMap headers) {
    requireNoContentEncoding(headers);
    HeaderValues types = headers.get(Headers.CONTENT_TYPE);
    if (types == null) {
      return "";
    }
    return types.size() == 1 ? type(types.getFirst()) : type(",");
  }

  /** Returns the type if a value can be stored under it. */
  public static String type(String type) {
    if (type.length() > StoredValue.TYPE_CHARS_MAX) {
      throw ProblemType.UNSUPPORTED_MEDIA_TYPE.withDetail(
          "the content type has "
              + type.length()
              + " characters, the limit is "
              + StoredValue.TYPE_CHARS_MAX);
    }
    if (!TYPE.matcher(type).matches()) {
      throw ProblemType.UNSUPPORTED_MEDIA_TYPE.withDetail(
          "the content type must be one type/subtype, with or without parameters, in ASCII");
    }
    return type;
  }

  private static void requireNoContentEncoding(HeaderMap headers) {
    if (headers.contains(Headers.CONTENT_ENCODING)) {
      throw ProblemType.UNSUPPORTED_MEDIA_TYPE.withDetail(
          "the body must not have a Content-Encoding");
    }
  }

  private static boolean isJson(String contentType) {
    if (contentType.equals(JSON)) {
      return true;
    }
    String[] parts = contentType.toLowerCase(Locale.ROOT).split(";", -1);
    if (!parts[0].strip().equals(JSON)) {
      return false;
    }
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip();
      if (parameter.startsWith("charset=")
          && !parameter.replace("\"", "").equals("charset=utf-8")) {
        return false;
      }
    }
    return true;
  }
}
