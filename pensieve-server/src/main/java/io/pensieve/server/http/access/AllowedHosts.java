package io.pensieve.server.http.access;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The host names that a server without tokens accepts. They prevent a web page from using a local
 * browser to reach the server (DNS rebinding): a page can map its own name to a loopback address,
 * but the browser sends that name.
 *
 * @param names the names besides {@code localhost} and loopback addresses; empty to accept all
 */
public record AllowedHosts(Optional<Set<String>> names) {
  private static final String LOCALHOST = "localhost";
  private static final Set<String> LOOPBACK_IPV6 = Set.of("[::1]", "[0:0:0:0:0:0:0:1]");
  private static final String LOOPBACK_IPV4_PREFIX = "127.";
  private static final int IPV4_DOTS = 3;
  private static final HttpString SEC_FETCH_SITE = new HttpString("Sec-Fetch-Site");
  private static final Set<String> SITES_OF_OWN = Set.of("same-origin", "none");

  /** Accepts every name. */
  public static AllowedHosts any() {
    return new AllowedHosts(Optional.empty());
  }

  /**
   * Accepts these names, in lower case and without ports, and all names of the loopback interface.
   */
  public static AllowedHosts named(Set<String> names) {
    return new AllowedHosts(Optional.of(Set.copyOf(names)));
  }

  /** Rejects a request for another host name. The answer depends on this header alone. */
  void require(String host) {
    if (!isAllowed(host)) {
      throw ProblemType.MISDIRECTED_REQUEST.withDetail(
          "without tokens this server answers as localhost, and as what --allowed-hosts names");
    }
  }

  /** Rejects a request that a browser sends for a page of another server. */
  void requireOwnOrigin(HttpServerExchange exchange) {
    String origin = exchange.getRequestHeaders().getFirst(Headers.ORIGIN);
    if (origin == null) {
      requireOwnSite(exchange);
      return;
    }
    int authority = origin.indexOf("://") + "://".length();
    String asked = exchange.getRequestHeaders().getFirst(Headers.HOST);
    boolean isOwn = authority >= "://".length() && isOwn(origin.substring(authority), asked);
    if (!isOwn) {
      throw foreignOrigin();
    }
  }

  // A GET for an image or a link has no Origin. Browsers tell its source by this header.
  private static void requireOwnSite(HttpServerExchange exchange) {
    String source = exchange.getRequestHeaders().getFirst(SEC_FETCH_SITE);
    if (source != null && !SITES_OF_OWN.contains(source)) {
      throw foreignOrigin();
    }
  }

  private static ProblemException foreignOrigin() {
    return ProblemType.FOREIGN_ORIGIN.withDetail(
        "without tokens no page of another server may write; --allowed-hosts names those that"
            + " may");
  }

  private boolean isOwn(String from, @Nullable String asked) {
    return from.equalsIgnoreCase(asked)
        || names.filter(set -> set.contains(name(from))).isPresent();
  }

  // Runs for each request, so no regular expression: that took 5 % of a request's time.
  private boolean isAllowed(String host) {
    String name = name(host);
    return names.isEmpty() || isLoopback(name) || names.get().contains(name);
  }

  private static boolean isLoopback(String name) {
    return name.equals(LOCALHOST)
        || (name.startsWith(LOOPBACK_IPV4_PREFIX) && isIpv4(name))
        || LOOPBACK_IPV6.contains(name);
  }

  // Checks digits and dots only. The resolver rejects numbers above 255.
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

  /** Returns a host without its port, in lower case. */
  private static String name(String host) {
    int end = host.length();
    while (end > 0 && host.charAt(end - 1) >= '0' && host.charAt(end - 1) <= '9') {
      end--;
    }
    boolean hasPort = end > 0 && host.charAt(end - 1) == ':';
    return (hasPort ? host.substring(0, end - 1) : host).toLowerCase(Locale.ROOT);
  }
}
