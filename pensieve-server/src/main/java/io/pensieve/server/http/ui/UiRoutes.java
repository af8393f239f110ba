package io.pensieve.server.http.ui;

import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The routes of the page for people. Its files contain no data: scripts in the browser ask the
 * other routes for that, with the token of whoever looks. So anyone may fetch the files.
 */
public final class UiRoutes {
  // What a browser lets the page do. A value of the map that got into the page as markup could
  // neither run nor load anything: no inline script, no eval, nothing from another host.
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
          + " require-trusted-types-for 'script'; trusted-types 'none'";

  private static final Map<HttpString, String> HEADERS =
      Map.of(
          Headers.CACHE_CONTROL,
          "no-cache", // revalidated: the next version has the same names
          new HttpString("Content-Security-Policy"),
          POLICY,
          new HttpString("X-Content-Type-Options"),
          "nosniff",
          new HttpString("Referrer-Policy"),
          "no-referrer",
          new HttpString("Cross-Origin-Opener-Policy"),
          "same-origin",
          new HttpString("Cross-Origin-Resource-Policy"),
          "same-origin");

  // Relative, so that it also works behind a proxy that serves this server below a path.
  private static final String PAGE = "ui/";

  // Empty until somebody looks at the page.
  private final Map<String, UiFile> files = new ConcurrentHashMap<>();

  /** Sends a browser to the page. Any other client is told that there is nothing here. */
  public void root(HttpServerExchange exchange) {
    exchange.getResponseHeaders().put(Headers.VARY, Headers.ACCEPT_STRING);
    if (!AcceptHeader.prefersHtml(lines(exchange, Headers.ACCEPT))) {
      throw ProblemType.NO_SUCH_ROUTE.withDetail("there is no such path; keys belong behind /get/");
    }
    redirect(exchange);
  }

  /** Sends anyone to the page. */
  public void redirect(HttpServerExchange exchange) {
    exchange.getResponseHeaders().put(Headers.LOCATION, PAGE);
    exchange.setStatusCode(StatusCodes.FOUND).endExchange();
  }

  /** Answers a file of the page; an empty name is the page itself. */
  public void file(HttpServerExchange exchange, String rawName) {
    String name = rawName.isEmpty() ? UiFile.INDEX : rawName;
    UiFile loaded = files.get(name);
    if (loaded != null) {
      answer(exchange, loaded);
    } else if (UiFile.exists(name)) {
      exchange.dispatch(
          ExceptionMapper.mapped(
              onWorker -> answer(onWorker, files.computeIfAbsent(name, UiFile::read))));
    } else {
      throw ProblemType.NO_SUCH_ROUTE.withDetail("the page has no such file");
    }
  }

  private static void answer(HttpServerExchange exchange, UiFile file) {
    HeaderMap headers = exchange.getResponseHeaders();
    HEADERS.forEach(headers::put);
    headers.put(Headers.ETAG, file.tag());
    boolean isKnown =
        lines(exchange, Headers.IF_NONE_MATCH).stream()
            .anyMatch(line -> line.contains(file.tag()) || line.strip().equals("*"));
    if (isKnown) {
      exchange.setStatusCode(StatusCodes.NOT_MODIFIED).endExchange();
    } else {
      JsonResponses.send(exchange, file.type(), file.bytes());
    }
  }

  private static List<String> lines(HttpServerExchange exchange, HttpString name) {
    HeaderValues lines = exchange.getRequestHeaders().get(name);
    return lines == null ? List.of() : lines;
  }
}
