package io.pensieve.replication.ratis;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslProvider;
import org.jspecify.annotations.Nullable;

/**
 * Mutual TLS of the Raft port: a peer must present a certificate of a trusted authority, both as
 * client and as server; as server one for the host by which it is called. Any thread may replace
 * everything at any time: open connections keep the old, new ones use the new.
 */
public final class PeerTls {
  private final Own own = new Own();
  private final Trust trust = new Trust();

  /** Creates an object without a certificate: every handshake fails until {@link #replace}. */
  public PeerTls() {}

  /**
   * Replaces the member's certificate and its key, and the authorities that it trusts.
   *
   * @param chain the member's own certificate first; it must do for a client and for a server
   * @throws IllegalArgumentException if the authorities are unusable; the previous ones stay then
   */
  public void replace(
      List<X509Certificate> chain, PrivateKey key, List<X509Certificate> authorities) {
    trust.replace(authorities);
    own.replace(chain, key);
  }

  /** What Ratis needs; a peer that is refused is an event. */
  GrpcTlsConfig config(EngineEvents events) {
    GrpcTlsConfig.Builder config = GrpcTlsConfig.newBuilder();
    config.setMutualTls(true);
    // OpenSSL's part is a library for each platform, and may keep the first certificate.
    config.setSslProvider(SslProvider.JDK);
    config.setKeyManager(own);
    config.setTrustManager(new ReportingTrust(trust, events));
    return config.build();
  }

  /**
   * A handshake first asks for an alias, then for the alias's certificate and key: the identity
   * before the newest is kept for those in between.
   */
  private static final class Own extends X509ExtendedKeyManager {
    private record Identity(
        String alias, List<X509Certificate> chain, PrivateKey key, @Nullable Identity before) {}

    private final AtomicLong replaced = new AtomicLong();
    private volatile @Nullable Identity newest;

    void replace(List<X509Certificate> chain, PrivateKey key) {
      Identity last = newest;
      Identity before =
          last == null ? null : new Identity(last.alias(), last.chain(), last.key(), null);
      newest = new Identity("own" + replaced.incrementAndGet(), List.copyOf(chain), key, before);
    }

    private @Nullable Identity named(String alias) {
      Identity now = newest;
      return now == null || now.alias().equals(alias) ? now : now.before();
    }

    private @Nullable String alias(String... keyTypes) {
      Identity now = newest;
      return now != null && List.of(keyTypes).contains(now.key().getAlgorithm())
          ? now.alias()
          : null;
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
        String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return alias(keyTypes);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return alias(keyType);
    }

    @Override
    public @Nullable String chooseClientAlias(
        String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return alias(keyTypes);
    }

    @Override
    public @Nullable String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return alias(keyType);
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
      String alias = alias(keyType);
      return alias == null ? null : new String[] {alias};
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
      return getClientAliases(keyType, issuers);
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
      Identity found = named(alias);
      return found == null ? null : found.chain().toArray(X509Certificate[]::new);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
      Identity found = named(alias);
      return found == null ? null : found.key();
    }
  }

  private static final class Trust extends X509ExtendedTrustManager {
    private volatile @Nullable X509ExtendedTrustManager newest;

    void replace(List<X509Certificate> authorities) {
      try {
        KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        for (int i = 0; i < authorities.size(); i++) {
          anchors.setCertificateEntry("authority" + i, authorities.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(anchors);
        for (TrustManager manager : factory.getTrustManagers()) {
          if (manager instanceof X509ExtendedTrustManager extended) {
            newest = extended;
            return;
          }
        }
      } catch (GeneralSecurityException | IOException unusable) {
        throw new IllegalArgumentException("the authorities cannot be used", unusable);
      }
      throw new IllegalArgumentException("the authorities cannot be used");
    }

    private X509ExtendedTrustManager now() throws CertificateException {
      X509ExtendedTrustManager now = newest;
      if (now == null) {
        throw new CertificateException("no authorities yet");
      }
      return now;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      now().checkClientTrusted(chain, type, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      now().checkServerTrusted(chain, type, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      now().checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      now().checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      now().checkClientTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      now().checkServerTrusted(chain, type);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      X509ExtendedTrustManager now = newest;
      return now == null ? new X509Certificate[0] : now.getAcceptedIssuers();
    }
  }

  /**
   * Says which peer was refused, and why: TLS tells the peer little, and Ratis only tries again.
   * The texts come from the certificate, which anybody may have made: they become one plain line
   * each.
   */
  private static final class ReportingTrust extends X509ExtendedTrustManager {
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
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain, "a peer", () -> trust.checkClientTrusted(chain, type));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain, "a peer", () -> trust.checkServerTrusted(chain, type));
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return trust.getAcceptedIssuers();
    }
  }
}
