package io.pensieve.server.peers;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.regex.Pattern;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a TLS server is a peer. It is if it has a certificate for the host of the peer's
 * URL, signed by a trusted authority. Any thread may replace the authorities at any time; the next
 * heartbeat uses a connection that the new ones allow.
 */
public final class PeerTrust {
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
  private static final Pattern ADDRESS = Pattern.compile("\\[.*]|[0-9.]+");

  /*
   * Created by the first heartbeat, on its thread. A node without https peers loads no TLS classes,
   * and a node with https peers continues to start meanwhile. New authorities create a new context,
   * so no session that the old ones allowed is resumed.
   */
  private @Nullable SSLSocketFactory sockets;
  private @Nullable SSLContext context;
  // Null for the authorities that this Java trusts.
  private @Nullable List<X509Certificate> authorities;

  /** Trusts the authorities that this Java trusts. */
  public PeerTrust() {}

  /**
   * From now on trusts only these authorities. The list may contain a peer's own certificate. That
   * is trusted for the hosts that it names, while it is valid.
   */
  public synchronized void replace(List<X509Certificate> newAuthorities) {
    authorities = List.copyOf(newAuthorities);
    sockets = null;
    context = null;
  }

  /**
   * Returns the context that trusts these authorities. Replacing them replaces it. The caller
   * checks the name of the server.
   */
  public synchronized SSLContext context() throws IOException {
    SSLContext made = context;
    if (made == null) {
      try {
        made = make(authorities);
      } catch (GeneralSecurityException unusable) {
        throw new IOException("the trusted authorities cannot be used", unusable);
      }
      context = made;
    }
    return made;
  }

  /** Returns the factory of TLS sockets. Replacing the authorities also replaces the factory. */
  synchronized SSLSocketFactory sockets() throws IOException {
    SSLSocketFactory made = sockets;
    if (made == null) {
      made = context().getSocketFactory();
      sockets = made;
    }
    return made;
  }

  private static SSLContext make(@Nullable List<X509Certificate> authorities)
      throws GeneralSecurityException, IOException {
    KeyStore anchors = null;
    if (authorities != null) {
      anchors = KeyStore.getInstance(KeyStore.getDefaultType());
      anchors.load(null, null);
      for (int i = 0; i < authorities.size(); i++) {
        anchors.setCertificateEntry("authority" + i, authorities.get(i));
      }
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(anchors);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  /**
   * Starts TLS over a connection, and completes the handshake.
   *
   * @param host the host of the peer's URL
   * @throws IOException if the handshake fails, or the server is not trusted to be the peer
   */
  static SSLSocket secure(SSLSocketFactory sockets, Socket connected, String host)
      throws IOException {
    String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    SSLSocket secured =
        (SSLSocket) sockets.createSocket(connected, name, connected.getPort(), true);
    SSLParameters parameters = secured.getSSLParameters();
    parameters.setProtocols(PROTOCOLS);
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    if (!ADDRESS.matcher(name).matches()) {
      // Without this Java sends no SNI for a host without a dot, such as a container name.
      parameters.setServerNames(List.of(serverName(name)));
    }
    secured.setSSLParameters(parameters);
    secured.startHandshake();
    requireValidNow(secured.getSession());
    return secured;
  }

  private static SNIHostName serverName(String name) throws IOException {
    try {
      return new SNIHostName(name);
    } catch (IllegalArgumentException unknownToDns) {
      throw new IOException("its name is none that TLS can ask for", unknownToDns);
    }
  }

  // Java skips the validity check for a directly trusted certificate and for a resumed session.
  private static void requireValidNow(SSLSession session) throws IOException {
    try {
      ((X509Certificate) session.getPeerCertificates()[0]).checkValidity();
    } catch (CertificateException notNow) {
      throw new SSLException(notNow);
    }
  }
}
