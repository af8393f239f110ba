import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.stream.Stream;

/** Java's HttpClient. The protocol is told in check.py. */
final class Jdk {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] fields =
          Stream.of(line.split("\t", -1))
              .map(field -> URLDecoder.decode(field, UTF_8))
              .toArray(String[]::new);
      try {
        HttpResponse<String> answer = send(fields);
        System.out.println(answer.statusCode() + "\t" + escaped(answer.body()));
      } catch (Exception refused) {
        System.out.println("-\t" + escaped(refused.toString()));
      }
    }
  }

  private static HttpResponse<String> send(String[] fields) throws Exception {
    String base = fields[1];
    String key = fields[3];
    URI uri = fields[2].equals("escaped") ? URI.create(base + escaped(key)) : quoted(base, key);
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    request.header("Content-Type", "application/json");
    request.method(
        fields[0],
        fields[4].isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(fields[4]));
    return CLIENT.send(request.build(), BodyHandlers.ofString());
  }

  // What URI does by itself with a path that is given as it is.
  private static URI quoted(String base, String key) throws Exception {
    URI server = URI.create(base);
    String path = server.getPath() + key;
    URI uri = new URI("http", null, server.getHost(), server.getPort(), path, null, null);
    return URI.create(uri.toASCIIString());
  }

  private static String escaped(String text) {
    return URLEncoder.encode(text, UTF_8).replace("+", "%20");
  }
}
