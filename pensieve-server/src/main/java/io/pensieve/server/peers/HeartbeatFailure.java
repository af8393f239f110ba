package io.pensieve.server.peers;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * Why the latest heartbeats to a peer had no response.
 *
 * @param reason why the last one failed, in one line
 * @param inRow how many failed in a row
 */
record HeartbeatFailure(String reason, int inRow) {
  private static final int REASON_CHARS_MAX = 200;
  private static final int CAUSES_MAX = 20;

  static HeartbeatFailure none() {
    return new HeartbeatFailure("", 0);
  }

  /** Returns the failure that follows another one. */
  static HeartbeatFailure after(HeartbeatFailure before, String reason) {
    return new HeartbeatFailure(reason, before.inRow + 1);
  }

  /** Describes the failure in one line. The same failure always has the same text. */
  static String reason(IOException failure) {
    List<Throwable> causes =
        Stream.<Throwable>iterate(failure, cause -> cause != null, Throwable::getCause)
            .limit(CAUSES_MAX)
            .toList();
    String text = text(causes).replaceAll("\\p{Cntrl}+", " ");
    return text.substring(0, Math.min(text.length(), REASON_CHARS_MAX));
  }

  // The first causes mostly mention Java's own classes; the last one mostly does not.
  private static String text(List<Throwable> causes) {
    Throwable last = causes.get(causes.size() - 1);
    String message = String.valueOf(last.getMessage());
    if (has(causes, SocketTimeoutException.class)) {
      return "no answer in time";
    }
    if (has(causes, UnknownHostException.class)) {
      return "its name has no address";
    }
    if (has(causes, CertificateExpiredException.class)
        || has(causes, CertificateNotYetValidException.class)) {
      return "TLS: its certificate is not valid now: " + message;
    }
    if (has(causes, CertificateException.class)) {
      return "TLS: its certificate is not trusted here: " + message;
    }
    return has(causes, SSLException.class) ? "TLS: " + message : message;
  }

  private static boolean has(List<Throwable> causes, Class<? extends Throwable> kind) {
    return causes.stream().anyMatch(kind::isInstance);
  }
}
