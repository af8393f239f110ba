package io.pensieve.server.http.access;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Under which names a server without tokens answers, so that no web page uses a browser on its
 * machine to reach it: a page can make its own name stand for a loopback address, but the browser
 * then says that name.
 *
 * @param names those beside {@code localhost} and loopback addresses; empty for all there are
 */
public record AllowedHosts(Optional<Set<String>> names) {
  private static final String LOCALHOST = "localhost";
  private static final Set<String> LOOPBACK_IPV6 = Set.of("[::1]", "[0:0:0:0:0:0:0:1]");
  private static final String LOOPBACK_IPV4_PREFIX = "127.";
  private static final int IPV4_DOTS = 3;

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
      throw ProblemType.MISDIRECTED_REQUEST.withDetail(
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
      throw ProblemType.FOREIGN_ORIGIN.withDetail(
          "without tokens no page of another server may write; --allowed-hosts names those that"
              + " may");
    }
  }

  private boolean isOwn(String from, @Nullable String asked) {
    return from.equalsIgnoreCase(asked)
        || names.filter(set -> set.contains(name(from))).isPresent();
  }

  // Asked of each request, so without a regular expression: that took 5 % of a request's time.
  private boolean isAllowed(String host) {
    String name = name(host);
    return names.isEmpty() || isLoopback(name) || names.get().contains(name);
  }

  private static boolean isLoopback(String name) {
    return name.equals(LOCALHOST)
        || (name.startsWith(LOOPBACK_IPV4_PREFIX) && isIpv4(name))
        || LOOPBACK_IPV6.contains(name);
  }

  // Digits and dots in their places. Whether each number is below 256 is the resolver's to say.
  private static boolean isIpv4(String name) {
    int dots = 0;
    int digits = 0;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '.' && digits > 0) {
        dots++;
        digits = 0;
      } else if (c >= '0' && c <= '9' && digits < "255".length()) {
        digits++;
      } else {
        return false;
      }
    }
    return dots == IPV4_DOTS && digits > 0;
  }

  /** A host without its port, in small letters. */
  private static String name(String host) {
    int end = host.length();
    while (end > 0 && host.charAt(end - 1) >= '0' && host.charAt(end - 1) <= '9') {
      end--;
    }
    boolean hasPort = end > 0 && host.charAt(end - 1) == ':';
    return (hasPort ? host.substring(0, end - 1) : host).toLowerCase(Locale.ROOT);
  }
}
