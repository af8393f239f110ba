package io.pensieve.server.http;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.util.Locale;

/** What a request says its body is. */
final class MediaType {
  private static final String JSON = "application/json";

  private MediaType() {}

  /** Refuses all but uncompressed JSON in UTF-8. */
  static void requireJson(HeaderMap headers) {
    HeaderValues types = headers.get(Headers.CONTENT_TYPE);
    if (types == null || types.size() != 1 || !isJson(types.getFirst())) {
      throw Problem.UNSUPPORTED_MEDIA_TYPE.because("the Content-Type must be " + JSON);
    }
    if (headers.contains(Headers.CONTENT_ENCODING)) {
      throw Problem.UNSUPPORTED_MEDIA_TYPE.because("the body must not have a Content-Encoding");
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
