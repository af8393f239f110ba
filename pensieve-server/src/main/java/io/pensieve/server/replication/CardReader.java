package io.pensieve.server.replication;

import io.pensieve.server.http.replication.NodeCard;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/** Asks other nodes for their cards, over HTTP. Calls wait for the other node. */
final class CardReader {
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final Supplier<Optional<String>> secret;
  private final Callable<SSLContext> trust;

  /**
   * Creates a reader.
   *
   * @param secret returns the token for peers, if there is one
   * @param trust returns the context that decides which server is trusted to be a peer
   */
  CardReader(Supplier<Optional<String>> secret, Callable<SSLContext> trust) {
    this.secret = secret;
    this.trust = trust;
  }

  /**
   * Returns the card of the node at this URL.
   *
   * @throws IOException if it does not answer with one
   */
  NodeCard read(URI url) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(url.resolve("/internal/node")).timeout(PATIENCE);
    secret.get().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    HttpResponse<byte[]> response =
        client("https".equals(url.getScheme())).send(request.build(), BodyHandlers.ofByteArray());
    if (response.statusCode() != 200) {
      throw new IOException(url + " answers " + response.statusCode() + " to a node that asks");
    }
    return NodeCard.read(response.body());
  }

  // A client for each question: they are few, and the trust may have been replaced.
  private HttpClient client(boolean isTls) throws IOException {
    HttpClient.Builder client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(PATIENCE);
    try {
      return (isTls ? client.sslContext(trust.call()) : client).build();
    } catch (IOException unusable) {
      throw unusable;
    } catch (Exception unusable) {
      throw new IOException("no TLS to peers", unusable);
    }
  }
}
