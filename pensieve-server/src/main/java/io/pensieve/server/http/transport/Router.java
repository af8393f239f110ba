package io.pensieve.server.http.transport;

import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.protocol.RequestHead;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.ServedBy;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a raw path. Undertow's own routing uses its decoded path, which loses details
 * that keys need. HEAD is supported wherever GET is, and OPTIONS everywhere.
 */
public final class Router implements HttpHandler {
  private static final int UNASKED_BYTES_MAX = 1 << 10;

  private final List<MeteredRoute> routes;
  private final RequestHead head;
  private final Authorizer authorizer;
  private final RequestMetrics meters;
  private final InFlightRequests inFlight;
  // Null if this server does not replicate: then it serves every request itself.
  private final @Nullable LeaderGate gate;

  /** A route with the meters of its requests. HEAD requests have a meter of their own. */
  private record MeteredRoute(
      Route route, RequestMetrics.Meter meter, RequestMetrics.Meter headMeter) {
    static MeteredRoute of(Route route, RequestMetrics meters) {
      RequestMetrics.Meter meter = meters.meter(route.method().toString(), route.template());
      boolean takesHead = route.method().equals(Methods.GET);
      return new MeteredRoute(
          route, meter, takesHead ? meters.meter(Methods.HEAD_STRING, route.template()) : meter);
    }
  }

  public Router(
      List<Route> routes,
      RequestHead head,
      Authorizer authorizer,
      RequestMetrics meters,
      InFlightRequests inFlight,
      @Nullable LeaderGate gate) {
    this.routes = routes.stream().map(route -> MeteredRoute.of(route, meters)).toList();
    this.head = head;
    this.authorizer = authorizer;
    this.meters = meters;
    this.inFlight = inFlight;
    this.gate = gate;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    RequestMetrics.Timing timing = meters.begin(exchange);
    head.require(exchange);
    String path = RawPath.of(exchange);
    // Compare as text: HTTP methods are case-sensitive, but Undertow's HttpString ignores case.
    String asked = exchange.getRequestMethod().toString();
    boolean isHead = asked.equals(Methods.HEAD_STRING);
    String method = isHead ? Methods.GET_STRING : asked;
    for (MeteredRoute meteredRoute : routes) {
      Route route = meteredRoute.route();
      if (route.takes(method) && route.matches(path)) {
        timing.routed(isHead ? meteredRoute.headMeter() : meteredRoute.meter());
        answer(route.forQuery(exchange.getQueryString()), path, exchange);
        return;
      }
    }
    answerWithoutRoute(exchange, path);
  }

  private void answer(Route route, String path, HttpServerExchange exchange) throws Exception {
    authorizer.require(route.role(), exchange);
    if (route.role() != Role.ANYONE) {
      // Monitoring routes skip the limit, so they respond even when the server is full.
      inFlight.admit(exchange);
    }
    if (!route.takesBody() && !exchange.isRequestComplete()) {
      ExceptionMapper.cutOffAfterLinger(exchange); // do not wait for an unexpected body
    }
    String rawKey = route.rawKey(path);
    boolean changes = route.role() == Role.WRITE || route.role() == Role.ADMIN;
    boolean changesNothingYet = route.takesBody() || !changes;
    if (changesNothingYet || exchange.isRequestComplete()) {
      serve(route, exchange, rawKey);
    } else {
      // Read the body first: a request with a broken end must change nothing.
      RequestBody.read(exchange, UNASKED_BYTES_MAX, ignored -> serve(route, exchange, rawKey));
    }
  }

  private void serve(Route route, HttpServerExchange exchange, String rawKey) throws Exception {
    if (gate != null) {
      gate.serve(route.servedBy(), exchange, here -> route.endpoint().handle(here, rawKey));
      return;
    }
    if (route.servedBy() == ServedBy.CAUGHT_UP_NODE && !exchange.getQueryString().isEmpty()) {
      LeaderGate.addStalenessOfOnlyNode(exchange);
    }
    route.endpoint().handle(exchange, rawKey);
  }

  private void answerWithoutRoute(HttpServerExchange exchange, String path) {
    Set<String> allowed = allowedMethods(path);
    if (allowed.isEmpty()) {
      throw ProblemType.NO_SUCH_ROUTE.withDetail("there is no such path; keys belong behind /get/");
    }
    String allow = String.join(", ", allowed);
    exchange.getResponseHeaders().put(Headers.ALLOW, allow);
    if (!exchange.getRequestMethod().toString().equals(Methods.OPTIONS_STRING)) {
      throw ProblemType.METHOD_NOT_ALLOWED.withDetail("this path allows " + allow);
    }
    exchange.setStatusCode(StatusCodes.NO_CONTENT).endExchange();
  }

  private Set<String> allowedMethods(String path) {
    Set<String> allowed =
        routes.stream()
            .map(MeteredRoute::route)
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
