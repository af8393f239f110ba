package io.pensieve.server.http.transport;

import io.pensieve.server.http.access.Role;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;

/**
 * A method and a path, the role they require, and the endpoint that responds. The template of a
 * path may end in {@code {key}}, which matches the whole rest of the path.
 */
public record Route(HttpString method, String template, Role role, Endpoint endpoint) {
  private static final String KEY = "{key}";

  /** Responds to one request, on its I/O thread. */
  public interface Endpoint {
    /**
     * Responds, or throws an exception that {@link
     * io.pensieve.server.http.protocol.ExceptionMapper} maps to a response.
     *
     * @param rest the part of the raw path that matches {@code {key}}, not decoded; otherwise empty
     */
    void handle(HttpServerExchange exchange, String rest) throws Exception;
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

  String rest(String rawPath) {
    return takesKey() ? rawPath.substring(prefixLength()) : "";
  }

  private boolean takesKey() {
    return template.endsWith(KEY);
  }

  private int prefixLength() {
    return template.length() - KEY.length();
  }
}
