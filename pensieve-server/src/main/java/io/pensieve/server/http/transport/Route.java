package io.pensieve.server.http.transport;

import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.replication.ServedBy;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.util.Optional;

/**
 * A method and a path, the role they require, which node of a cluster may serve them, and the
 * endpoint that responds. The template of a path may end in {@code {key}} or {@code {file}}, which
 * matches the whole rest of the path.
 */
public record Route(
    HttpString method,
    String template,
    Role role,
    ServedBy servedBy,
    KeyEndpoint endpoint,
    Optional<Variant> variant) {
  /** A route without a variant. */
  public Route(
      HttpString method, String template, Role role, ServedBy servedBy, KeyEndpoint endpoint) {
    this(method, template, role, servedBy, endpoint, Optional.empty());
  }

  /** A route whose template has no key. */
  public Route(
      HttpString method, String template, Role role, ServedBy servedBy, Endpoint endpoint) {
    this(method, template, role, servedBy, (exchange, ignored) -> endpoint.handle(exchange));
  }

  /**
   * The same method and path with a certain parameter in the query, which changes who may ask and
   * which node serves it.
   */
  public record Variant(String parameter, Role role, ServedBy servedBy, KeyEndpoint endpoint) {
    boolean isAsked(String query) {
      return QueryParameters.find(query, parameter).isPresent();
    }
  }

  /** Returns this route with a variant. */
  public Route with(Variant other) {
    return new Route(method, template, role, servedBy, endpoint, Optional.of(other));
  }

  /** Returns what serves a request with this query: this route, or its variant. */
  Route forQuery(String query) {
    if (query.isEmpty() || variant.isEmpty() || !variant.get().isAsked(query)) {
      return this;
    }
    Variant asked = variant.get();
    return new Route(method, template, asked.role(), asked.servedBy(), asked.endpoint());
  }

  /** Responds to one request for a path without a key, on its I/O thread. */
  public interface Endpoint {
    /**
     * Responds, or throws an exception that {@link
     * io.pensieve.server.http.protocol.ExceptionMapper} maps to a response.
     */
    void handle(HttpServerExchange exchange) throws Exception;
  }

  /** Responds to one request for a key, on its I/O thread. */
  public interface KeyEndpoint {
    /**
     * As {@link Endpoint#handle}.
     *
     * @param rawKey the part of the raw path that matches {@code {key}}, not decoded
     */
    void handle(HttpServerExchange exchange, String rawKey) throws Exception;
  }

  boolean takes(String asked) {
    return method.toString().equals(asked);
  }

  boolean matches(String rawPath) {
    return takesKey()
        ? rawPath.regionMatches(0, template, 0, prefixLength())
        : rawPath.equals(template);
  }

  /** Returns whether the endpoint reads the request's body. */
  boolean takesBody() {
    return method.equals(Methods.PUT)
        || method.equals(Methods.POST)
        || method.equals(Methods.PATCH);
  }

  /** Returns the part of the path that matches {@code {key}}; otherwise empty. */
  String rawKey(String rawPath) {
    return takesKey() ? rawPath.substring(prefixLength()) : "";
  }

  private boolean takesKey() {
    return template.endsWith("}");
  }

  private int prefixLength() {
    return template.lastIndexOf('{');
  }
}
