package io.pensieve.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds the route of a raw path. Undertow's own routing works on its decoded path, which has lost
 * what keys need. HEAD is answered wherever GET is, and OPTIONS everywhere.
 */
final class Router implements HttpHandler {
  private final List<Route> routes;
  private final Access access;

  Router(List<Route> routes, Access access) {
    this.routes = List.copyOf(routes);
    this.access = access;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    String path = RawPath.of(exchange);
    HttpString asked = exchange.getRequestMethod();
    HttpString method = asked.equals(Methods.HEAD) ? Methods.GET : asked;
    for (Route route : routes) {
      if (route.method().equals(method) && route.matches(path)) {
        access.require(route.role(), exchange);
        route.endpoint().handle(exchange, route.rest(path));
        return;
      }
    }
    answerWithoutRoute(exchange, path);
  }

  private void answerWithoutRoute(HttpServerExchange exchange, String path) {
    Set<String> allowed = allowedMethods(path);
    if (allowed.isEmpty()) {
      throw Problem.NO_SUCH_ROUTE.because("there is no such path; keys belong behind /get/");
    }
    String allow = String.join(", ", allowed);
    exchange.getResponseHeaders().put(Headers.ALLOW, allow);
    if (!exchange.getRequestMethod().equals(Methods.OPTIONS)) {
      throw Problem.METHOD_NOT_ALLOWED.because("this path allows " + allow);
    }
    exchange.setStatusCode(StatusCodes.NO_CONTENT).endExchange();
  }

  private Set<String> allowedMethods(String path) {
    Set<String> allowed =
        routes.stream()
            .filter(route -> path.equals("*") || route.matches(path))
            .map(route -> route.method().toString())
            .collect(Collectors.toCollection(LinkedHashSet::new));
    if (allowed.contains(Methods.GET_STRING)) {
      allowed.add(Methods.HEAD_STRING);
    }
    if (!allowed.isEmpty()) {
      allowed.add(Methods.OPTIONS_STRING);
    }
    return allowed;
  }
}
