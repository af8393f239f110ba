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
 * Whom a node believes to be its peer over {@code https}: who shows a certificate for the host of
 * the peer's URL, signed by an authority that is trusted here. The authorities may be replaced at
 * any time, from any thread; the next beat goes over a connection that the new ones allow.
 */
public final class PeerTrust {
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
  private static final Pattern ADDRESS = Pattern.compile("\\[.*]|[0-9.]+");

  /*
   * Made when the first beat asks for it, on its thread: a node without https peers loads nothing of
   * TLS, and one that has them starts meanwhile. New authorities make a new context, so that no
   * session that the old ones let in is resumed.
   */
  private @Nullable SSLSocketFactory sockets;
  private @Nullable List<X509Certificate> authorities; // null for those that this Java knows

  /** Trusts the authorities that this Java trusts. */
  public PeerTrust() {}

  /**
   * From now on trusts these authorities and no others. The certificate of a peer itself may be
   * among them: it is trusted then, for the hosts that it names and as long as it is valid.
   */
  public synchronized void replace(List<X509Certificate> newAuthorities) {
    authorities = List.copyOf(newAuthorities);
    sockets = null;
  }

  /** What TLS is spoken with; another one as soon as the authorities are replaced. */
  synchronized SSLSocketFactory sockets() throws IOException {
    SSLSocketFactory made = sockets;
    if (made == null) {
      try {
        made = make(authorities);
      } catch (GeneralSecurityException unusable) {
        throw new IOException("the trusted authorities cannot be used", unusable);
      }
      sockets = made;
    }
    return made;
  }

  private static SSLSocketFactory make(@Nullable List<X509Certificate> authorities)
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
    return context.getSocketFactory();
  }

  /**
   * Speaks TLS over a connection, from the handshake on.
   *
   * @param host the peer's, as in its URL
   * @throws IOException if that fails, or who answers is not trusted to be the peer
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
      // By itself Java names no host without a dot, as containers have it.
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

  // Java does not look at the time if the certificate itself is trusted or a session is resumed.
  private static void requireValidNow(SSLSession session) throws IOException {
    try {
      ((X509Certificate) session.getPeerCertificates()[0]).checkValidity();
    } catch (CertificateException notNow) {
      throw new SSLException(notNow);
    }
  }
}
