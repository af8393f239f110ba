package io.pensieve.server.http.transport;

import io.pensieve.server.http.access.Role;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;

/**
 * A method and a path, who may use them, and what answers. The template of a path may end in {@code
 * {key}}, which stands for the whole rest of the path.
 */
public record Route(HttpString method, String template, Role role, Endpoint endpoint) {
  private static final String KEY = "{key}";

  /** Answers one request, on its I/O thread. */
  public interface Endpoint {
    /**
     * Answers, or throws what {@link io.pensieve.server.http.protocol.ExceptionMapper} knows to
     * answer.
     *
     * @param rest what of the raw path stood for {@code {key}}, not decoded; otherwise empty
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

  /** Whether a request has a body that is read. */
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
