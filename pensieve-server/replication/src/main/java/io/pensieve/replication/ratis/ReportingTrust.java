package io.pensieve.replication.ratis;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Says which peer was refused, and why: TLS tells the peer little, and Ratis only tries again. The
 * texts come from the certificate, which anybody may have made: they become one plain line each.
 */
final class ReportingTrust extends X509ExtendedTrustManager {
  private static final int TEXT_MAX = 200;

  private final X509ExtendedTrustManager trust;
  private final EngineEvents events;

  ReportingTrust(X509ExtendedTrustManager trust, EngineEvents events) {
    this.trust = trust;
    this.events = events;
  }

  private interface Check {
    void run() throws CertificateException;
  }

  private void check(X509Certificate[] chain, String whose, Check check)
      throws CertificateException {
    try {
      check.run();
    } catch (CertificateException refused) {
      String name = chain.length == 0 ? "nobody" : chain[0].getSubjectX500Principal().getName();
      events.refused(whose + ", whose certificate is of " + plain(name), plain(reason(refused)));
      throw refused;
    }
  }

  /** The last cause says it best: "PKIX path building failed" does not. */
  private static String reason(CertificateException refused) {
    Throwable cause = refused;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private static String plain(String text) {
    String printable = text.replaceAll("[^ -~]+", " ");
    return printable.length() <= TEXT_MAX ? printable : printable.substring(0, TEXT_MAX);
  }

  private static String server(@Nullable SSLEngine engine) {
    return engine == null || engine.getPeerHost() == null
        ? "a peer"
        : "the peer at " + engine.getPeerHost() + ":" + engine.getPeerPort();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, "a peer", () -> trust.checkClientTrusted(chain, type, engine));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, server(engine), () -> trust.checkServerTrusted(chain, type, engine));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, "a peer", () -> trust.checkClientTrusted(chain, type, socket));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, "a peer", () -> trust.checkServerTrusted(chain, type, socket));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, "a peer", () -> trust.checkClientTrusted(chain, type));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, "a peer", () -> trust.checkServerTrusted(chain, type));
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return trust.getAcceptedIssuers();
  }
}
