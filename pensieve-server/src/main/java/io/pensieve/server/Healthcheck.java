package io.pensieve.server;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks a server whether it is ready; for containers, which have no other client inside. */
final class Healthcheck {
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private Healthcheck() {}

  /** 0 if the server at this URL is ready, else 1, and why not. */
  static int run(String url, PrintStream err) {
    try {
      int status = status(URI.create(url).resolve("/readyz"));
      if (status == 200) {
        return 0;
      }
      err.println("pensieve-server: " + url + " answers " + status);
    } catch (IOException | IllegalArgumentException noAnswer) {
      err.println("pensieve-server: " + url + " does not answer: " + noAnswer);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    return 1;
  }

  private static int status(URI readyz) throws IOException, InterruptedException {
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(PATIENCE)
            .build();
    HttpRequest request = HttpRequest.newBuilder(readyz).timeout(PATIENCE).build();
    return client.send(request, BodyHandlers.discarding()).statusCode();
  }
}
