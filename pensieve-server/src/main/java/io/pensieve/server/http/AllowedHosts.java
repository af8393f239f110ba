package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Under which names a server without tokens answers, so that no web page uses a browser on its
 * machine to reach it: a page can make its own name stand for a loopback address, but the browser
 * then says that name.
 *
 * @param names those beside {@code localhost} and loopback addresses; empty for all there are
 */
public record AllowedHosts(Optional<Set<String>> names) {
  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[(::1|0:0:0:0:0:0:0:1)]");
  private static final Pattern PORT = Pattern.compile(":\\d*$");

  /** Whatever the server is called. */
  public static AllowedHosts any() {
    return new AllowedHosts(Optional.empty());
  }

  /** These, in small letters and without ports, and those that only this machine has. */
  public static AllowedHosts named(Set<String> names) {
    return new AllowedHosts(Optional.of(Set.copyOf(names)));
  }

  /** Refuses a request for a server of another name. */
  void require(HttpServerExchange exchange) {
    String host = exchange.getRequestHeaders().getFirst(Headers.HOST);
    if (host != null && !isAllowed(host)) { // none is HTTP/1.0, which no browser speaks
      throw Problem.MISDIRECTED_REQUEST.because(
          "without tokens this server answers as localhost, and as what --allowed-hosts names");
    }
  }

  /** Refuses what a page of another server has a browser send. */
  void requireOwnOrigin(HttpServerExchange exchange) {
    String origin = exchange.getRequestHeaders().getFirst(Headers.ORIGIN);
    if (origin == null) {
      return;
    }
    int authority = origin.indexOf("://") + "://".length();
    String asked = exchange.getRequestHeaders().getFirst(Headers.HOST);
    boolean isOwn = authority >= "://".length() && isOwn(origin.substring(authority), asked);
    if (!isOwn) {
      throw Problem.FOREIGN_ORIGIN.because(
          "without tokens no page of another server may write; --allowed-hosts names those that"
              + " may");
    }
  }

  private boolean isOwn(String from, @Nullable String asked) {
    return from.equalsIgnoreCase(asked)
        || names.filter(set -> set.contains(name(from))).isPresent();
  }

  private boolean isAllowed(String host) {
    String name = name(host);
    return names.isEmpty() || LOOPBACK.matcher(name).matches() || names.get().contains(name);
  }

  private static String name(String host) {
    return PORT.matcher(host).replaceFirst("").toLowerCase(Locale.ROOT);
  }
}
