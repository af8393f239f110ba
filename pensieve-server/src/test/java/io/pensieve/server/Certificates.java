package io.pensieve.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.pensieve.server.http.transport.ReloadableTls;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate and its key, made in this process: that takes no time, and no program. */
public final class Certificates {
  private static final Duration AGE = Duration.ofDays(9); // of those that have expired
  private static final Duration VALIDITY = Duration.ofDays(2);
  private static final String PASSWORD = "only-in-memory";
  private static final byte[] NAME =
      Der.sequence(Der.set(Der.sequence(Der.identifier("2.5.4.3"), Der.text("test"))));
  private static final byte[] THIS_MACHINE =
      names(name(2, "localhost".getBytes(US_ASCII)), name(7, new byte[] {127, 0, 0, 1}));

  private final KeyPair keys;
  private final X509Certificate certificate;
  private final List<X509Certificate> chain;

  private Certificates(KeyPair keys, X509Certificate certificate, List<X509Certificate> signers) {
    this.keys = keys;
    this.certificate = certificate;
    this.chain = new ArrayList<>(List.of(certificate));
    chain.addAll(signers);
  }

  /** Makes a key and its certificate. The algorithm is RSA, EC, or Ed25519. */
  public static Certificates make(String algorithm) throws GeneralSecurityException {
    return signedByItself(newKeys(algorithm), Instant.now(), THIS_MACHINE);
  }

  /** Makes an authority, which can sign the certificates of others. */
  public static Certificates authority() throws GeneralSecurityException {
    byte[] isAuthority = extension("2.5.29.19", Der.yes(), Der.sequence(Der.yes()));
    byte[] signsCertificates = extension("2.5.29.15", new byte[0], Der.flag(5));
    return signedByItself(newKeys("EC"), Instant.now(), isAuthority, signsCertificates);
  }

  /** Has this authority sign a certificate for this machine. */
  public Certificates signed() throws GeneralSecurityException {
    return signed(Instant.now(), THIS_MACHINE);
  }

  /** Has this authority sign a certificate for a machine of another name. */
  public Certificates signedForAnother() throws GeneralSecurityException {
    return signed(Instant.now(), names(name(2, "another.example".getBytes(US_ASCII))));
  }

  /** Has this authority sign a certificate that has expired. */
  public Certificates signedAndExpired() throws GeneralSecurityException {
    return signed(Instant.now().minus(AGE), THIS_MACHINE);
  }

  /** Makes a certificate that signs itself, and has expired. */
  public static Certificates expired() throws GeneralSecurityException {
    return signedByItself(newKeys("EC"), Instant.now().minus(AGE), THIS_MACHINE);
  }

  private static KeyPair newKeys(String algorithm) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    switch (algorithm) {
      case "EC" -> generator.initialize(256);
      case "RSA" -> generator.initialize(2048);
      default -> {}
    }
    return generator.generateKeyPair();
  }

  private static Certificates signedByItself(KeyPair keys, Instant from, byte[]... extensions)
      throws GeneralSecurityException {
    return new Certificates(keys, certify(keys.getPublic(), keys, from, extensions), List.of());
  }

  private Certificates signed(Instant from, byte[] extension) throws GeneralSecurityException {
    KeyPair fresh = newKeys("EC");
    return new Certificates(fresh, certify(fresh.getPublic(), keys, from, extension), chain);
  }

  // RFC 5280, section 4.1.
  private static X509Certificate certify(
      PublicKey subject, KeyPair signer, Instant from, byte[]... extensions)
      throws GeneralSecurityException {
    byte[] algorithm = algorithm(signer);
    Instant begin = from.minusSeconds(60); // clocks of one machine need no more
    byte[] content =
        Der.sequence(
            Der.tagged(0xa0, Der.integer(BigInteger.TWO)), // version 3
            Der.integer(new BigInteger(64, new SecureRandom()).add(BigInteger.ONE)),
            algorithm,
            NAME,
            Der.sequence(Der.time(begin), Der.time(begin.plus(VALIDITY))),
            NAME,
            subject.getEncoded(),
            Der.tagged(0xa3, Der.sequence(Der.all(extensions), keys(subject, signer))));
    Signature signature = Signature.getInstance(signatureName(signer));
    signature.initSign(signer.getPrivate());
    signature.update(content);
    byte[] whole = Der.sequence(content, algorithm, Der.bits(signature.sign()));
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(whole));
  }

  // Of two authorities of one name these say which one has signed.
  private static byte[] keys(PublicKey subject, KeyPair signer) throws GeneralSecurityException {
    byte[] none = {};
    byte[] own = Der.octets(id(subject));
    byte[] authority = Der.sequence(Der.tagged(0x80, id(signer.getPublic())));
    return Der.all(extension("2.5.29.14", none, own), extension("2.5.29.35", none, authority));
  }

  private static byte[] id(PublicKey key) throws GeneralSecurityException {
    return MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
  }

  private static String signatureName(KeyPair signer) {
    return switch (signer.getPrivate().getAlgorithm()) {
      case "EC" -> "SHA256withECDSA";
      case "RSA" -> "SHA256withRSA";
      default -> "Ed25519";
    };
  }

  private static byte[] algorithm(KeyPair signer) {
    return switch (signer.getPrivate().getAlgorithm()) {
      case "EC" -> Der.sequence(Der.identifier("1.2.840.10045.4.3.2"));
      case "RSA" -> Der.sequence(Der.identifier("1.2.840.113549.1.1.11"), Der.nothing());
      default -> Der.sequence(Der.identifier("1.3.101.112"));
    };
  }

  private static byte[] names(byte[]... names) {
    return extension("2.5.29.17", new byte[0], Der.sequence(names));
  }

  private static byte[] name(int kind, byte[] name) {
    return Der.tagged(0x80 | kind, name);
  }

  private static byte[] extension(String identifier, byte[] critical, byte[] content) {
    return Der.sequence(Der.identifier(identifier), critical, Der.octets(content));
  }

  /** The certificate in PEM. */
  public byte[] chainPem() throws GeneralSecurityException {
    return pem("CERTIFICATE", certificate.getEncoded());
  }

  /** The private key in PEM, as PKCS #8. */
  public byte[] keyPem() {
    return pem("PRIVATE KEY", keys.getPrivate().getEncoded());
  }

  /** The certificate. */
  public X509Certificate certificate() {
    return certificate;
  }

  private static byte[] pem(String what, byte[] content) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    return ("-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n")
        .getBytes(US_ASCII);
  }

  /** What a client has that trusts these. */
  public static SSLContext trusting(Certificates... trusted) throws Exception {
    KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
    anchors.load(null, null);
    for (int i = 0; i < trusted.length; i++) {
      anchors.setCertificateEntry("anchor" + i, trusted[i].certificate());
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(anchors);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  /**
   * What a server has that shows this. If it does the first handshake in this process, Java reads
   * what ReloadableTls sets for all servers: so that class comes before.
   */
  public SSLContext showing() throws Exception {
    Class.forName(ReloadableTls.class.getName());
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    X509Certificate[] shown = chain.toArray(X509Certificate[]::new);
    store.setKeyEntry("it", keys.getPrivate(), PASSWORD.toCharArray(), shown);
    factory.init(store, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  /** Writes both files. */
  public void write(Path chain, Path key) throws Exception {
    Files.write(chain, chainPem());
    Files.write(key, keyPem());
  }
}
