package io.pensieve.server.http.transport;

import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * The certificate and key of a server. Any thread may replace both at any time: open connections
 * keep the old ones, new connections use the new ones.
 *
 * <p>Reads PEM itself. The library ayza-for-pem (10.0.3) was tried in its place: it brings 10.6 MB
 * of Bouncy Castle, and its first load takes 2.1 s of processor time instead of 0.1 s. It accepts a
 * key that is not the certificate's. A handshake fails if the certificate is replaced between its
 * two steps.
 */
public final class ReloadableTls {
  private static final Pattern PRIVATE_KEY =
      Pattern.compile("(?s)-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----");
  private static final String OTHER_KEY = " PRIVATE KEY-----";

  static {
    // With TLS 1.2 a client may request one handshake after another on a connection. Each costs the
    // server far more than the client, and no deadline applies. Java reads this property once, at
    // the first handshake.
    System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
  }

  private final Identities identities = new Identities();
  private final SSLContext context;

  /** Creates an object without a certificate: every handshake fails until {@link #replace}. */
  public ReloadableTls() {
    try {
      context = SSLContext.getInstance("TLS");
      context.init(new KeyManager[] {identities}, new TrustManager[0], null);
    } catch (GeneralSecurityException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }

  /**
   * Replaces the certificate and the key.
   *
   * @param chain certificates in PEM, the server's own first
   * @param key the private key in PEM: PKCS #8, not encrypted; RSA, EC or EdDSA
   * @throws IllegalArgumentException if they are invalid, or do not belong together; the previous
   *     ones stay in use then
   */
  public void replace(byte[] chain, byte[] key) {
    List<X509Certificate> certificates = certificates(chain);
    PublicKey publicKey = certificates.get(0).getPublicKey();
    PrivateKey privateKey = privateKey(key, publicKey.getAlgorithm());
    requirePair(publicKey, privateKey);
    identities.add(certificates, privateKey);
  }

  SSLContext context() {
    return context;
  }

  /** Offers only HTTP/1.1 by ALPN. The handshake of a client that asks only for others fails. */
  static void offerHttp1(SSLEngine engine) {
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"http/1.1"});
    engine.setSSLParameters(parameters);
  }

  /**
   * Parses certificates.
   *
   * @throws IllegalArgumentException if these are not certificates in PEM
   */
  public static List<X509Certificate> certificates(byte[] pem) {
    try {
      List<X509Certificate> chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (!chain.isEmpty()) {
        return chain;
      }
    } catch (GeneralSecurityException refusedBelow) {
      // The message is the same for a text without certificates and for unreadable ones.
    }
    throw new IllegalArgumentException("expected certificates in PEM");
  }

  /**
   * Parses a private key.
   *
   * @param algorithm that of the public key that belongs to it
   * @throws IllegalArgumentException if this is no such key in PEM, as PKCS #8
   */
  public static PrivateKey privateKey(byte[] pem, String algorithm) {
    String text = new String(pem, StandardCharsets.ISO_8859_1);
    Matcher matcher = PRIVATE_KEY.matcher(text);
    if (!matcher.find()) {
      throw new IllegalArgumentException(
          "expected a private key in PEM, as PKCS #8"
              + (text.contains(OTHER_KEY)
                  ? ": this one is encrypted or of another form; openssl pkcs8 -topk8 -nodes helps"
                  : ""));
    }
    try {
      byte[] encoded = Base64.getMimeDecoder().decode(matcher.group(1));
      return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
    } catch (GeneralSecurityException | IllegalArgumentException unusable) {
      // Omit the cause: it might quote the key.
      throw new IllegalArgumentException(
          "expected a private key for a certificate of " + algorithm);
    }
  }

  private static void requirePair(PublicKey publicKey, PrivateKey privateKey) {
    String algorithm = publicKey.getAlgorithm();
    try {
      Signature signature =
          Signature.getInstance(
              switch (algorithm) {
                case "RSA" -> "SHA256withRSA";
                case "EC" -> "SHA256withECDSA";
                default -> algorithm;
              });
      byte[] anything = {1};
      signature.initSign(privateKey);
      signature.update(anything);
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      signature.update(anything);
      if (signature.verify(signed)) {
        return;
      }
    } catch (GeneralSecurityException refusedBelow) {
      // Keys that cannot be tested are unusable, too.
    }
    throw new IllegalArgumentException("the private key is not that of the certificate");
  }

  /**
   * Presents the newest certificate. A handshake first asks for an alias, then for the alias's
   * certificate and key. So the previous identity is kept for handshakes between these two steps.
   */
  private static final class Identities extends X509ExtendedKeyManager {
    private record Identity(
        String alias, List<X509Certificate> chain, PrivateKey key, @Nullable Identity before) {
      Identity withoutBefore() {
        return new Identity(alias, chain, key, null);
      }
    }

    private volatile @Nullable Identity newest;
    private int added;

    synchronized void add(List<X509Certificate> chain, PrivateKey key) {
      Identity before = newest;
      newest =
          new Identity(
              "identity" + added++, chain, key, before == null ? null : before.withoutBefore());
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      Identity now = newest;
      return now != null && now.key().getAlgorithm().equals(keyType) ? now.alias() : null;
    }

    private @Nullable Identity named(String alias) {
      Identity now = newest;
      return now == null || now.alias().equals(alias) ? now : now.before();
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

    @Override
    public @Nullable String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
      String alias = chooseEngineServerAlias(keyType, issuers, null);
      return alias == null ? null : new String[] {alias};
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
        String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return null;
    }
  }
}
