package io.pensieve.server.http.access;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may call which route, by {@code Authorization: Bearer}. Any thread may replace the
 * tokens at any time: each request sees either the old ones or the new ones.
 */
public final class Authorizer {
  private static final String SCHEME = "Bearer ";
  private static final String CHALLENGE = "Bearer realm=\"pensieve\"";

  private final AllowedHosts hosts;
  // The Host that was allowed last: nearly all clients send the same one. A race only costs a look.
  private volatile String hostAllowed = "";
  private volatile Tokens tokens;

  private Authorizer(Tokens tokens, AllowedHosts hosts) {
    this.tokens = tokens;
    this.hosts = hosts;
  }

  /** Returns an authorizer that lets anyone call everything. */
  public static Authorizer open() {
    return open(AllowedHosts.any());
  }

  /** Returns an authorizer that lets every caller of one of these host names call everything. */
  public static Authorizer open(AllowedHosts hosts) {
    return new Authorizer(Tokens.NONE, hosts);
  }

  /** Returns an authorizer that requires one of these tokens. */
  public static Authorizer withTokens(Tokens tokens) {
    return new Authorizer(tokens, AllowedHosts.any());
  }

  /** Replaces the tokens. */
  public void replace(Tokens newTokens) {
    tokens = newTokens;
  }

  /** Returns the token that this node sends to its peers, if there is one. */
  public Optional<String> peerToken() {
    return tokens.peerToken();
  }

  /**
   * Checks that the caller may use a route of this role.
   *
   * @throws io.pensieve.server.http.json.ProblemException if it may not; the response headers then
   *     contain the matching challenge
   */
  public void require(Role asked, HttpServerExchange exchange) {
    Tokens now = tokens;
    if (now.isEmpty()) {
      requireOwnPages(asked, exchange);
    }
    if (asked == Role.ANYONE || now.isEmpty()) {
      return;
    }
    HeaderValues sent = exchange.getRequestHeaders().get(Headers.AUTHORIZATION);
    if (sent == null) {
      challenge(exchange, "");
      throw ProblemType.UNAUTHORIZED.withDetail(
          "this needs a token, as Authorization: Bearer TOKEN");
    }
    Optional<Role> caller = sent.size() == 1 ? caller(now, sent.getFirst()) : Optional.empty();
    if (caller.isEmpty()) {
      challenge(exchange, ", error=\"invalid_token\"");
      throw ProblemType.UNAUTHORIZED.withDetail(
          "the Authorization is not Bearer and a token known here");
    }
    if (!caller.get().mayCall(asked)) {
      challenge(exchange, ", error=\"insufficient_scope\", scope=\"" + asked.title() + "\"");
      throw ProblemType.FORBIDDEN.withDetail(
          "this needs a token to "
              + asked.title()
              + ", and this one is to "
              + caller.get().title());
    }
  }

  // Peers use host names of their own, and no browser sends what peers send.
  private void requireOwnPages(Role asked, HttpServerExchange exchange) {
    if (asked != Role.PEER) {
      requireHost(exchange.getRequestHeaders().getFirst(Headers.HOST));
    }
    if (asked == Role.PEER || asked == Role.WRITE || asked == Role.ADMIN) {
      hosts.requireOwnOrigin(exchange);
    }
  }

  private void requireHost(@Nullable String host) {
    if (host != null && !host.equals(hostAllowed)) { // no Host: HTTP/1.0, so not a browser
      hosts.require(host);
      hostAllowed = host;
    }
  }

  // RFC 9110, 11.1: the scheme is case-insensitive.
  private static Optional<Role> caller(Tokens now, String authorization) {
    return authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        ? now.roleOf(authorization.substring(SCHEME.length()).strip())
        : Optional.empty();
  }

  private static void challenge(HttpServerExchange exchange, String error) {
    exchange.getResponseHeaders().put(Headers.WWW_AUTHENTICATE, CHALLENGE + error);
  }
}
