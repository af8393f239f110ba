package io.pensieve.server.http.transport;

import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.replication.ServedBy;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;

/**
 * A method and a path, the role they require, which node of a cluster may serve them, and the
 * endpoint that responds. The template of a path may end in {@code {key}} or {@code {file}}, which
 * matches the whole rest of the path.
 */
public record Route(
    HttpString method, String template, Role role, ServedBy servedBy, KeyEndpoint endpoint) {
  /** A route whose template has no key. */
  public Route(
      HttpString method, String template, Role role, ServedBy servedBy, Endpoint endpoint) {
    this(method, template, role, servedBy, (exchange, ignored) -> endpoint.handle(exchange));
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
    return method.equals(Methods.PUT) || method.equals(Methods.POST);
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
