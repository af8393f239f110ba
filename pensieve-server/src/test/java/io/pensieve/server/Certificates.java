package io.pensieve.server;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate for this machine that signs itself, made by the JDK's own keytool. */
public final class Certificates {
  private static final String PASSWORD = "only-for-this-file";

  private final KeyStore store;

  private Certificates(KeyStore store) {
    this.store = store;
  }

  /** Makes a key and its certificate. The algorithm is one of keytool: RSA, EC, Ed25519. */
  public static Certificates make(Path folder, String algorithm) throws Exception {
    Path file = folder.resolve(algorithm + System.nanoTime() + ".p12");
    Path keytool = Path.of(System.getProperty("java.home", ""), "bin", "keytool");
    Process process =
        new ProcessBuilder(
                (keytool
                        + " -genkeypair -alias it -keyalg "
                        + algorithm
                        + " -validity 2 -dname CN="
                        + "test -ext san=dns:localhost,ip:127.0.0.1 -storetype PKCS12 -storepass "
                        + PASSWORD
                        + " -keystore "
                        + file)
                    .split(" ", -1))
            .redirectErrorStream(true)
            .redirectOutput(File.createTempFile("keytool", ".txt", folder.toFile()))
            .start();
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("keytool: " + process);
    }
    return new Certificates(KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray()));
  }

  /** The certificate in PEM. */
  public byte[] chainPem() throws GeneralSecurityException {
    return pem("CERTIFICATE", store.getCertificate("it").getEncoded());
  }

  /** The private key in PEM, as PKCS #8. */
  public byte[] keyPem() throws GeneralSecurityException {
    Key key = store.getKey("it", PASSWORD.toCharArray());
    return pem("PRIVATE KEY", key.getEncoded());
  }

  /** The certificate. */
  public Certificate certificate() throws GeneralSecurityException {
    return store.getCertificate("it");
  }

  private static byte[] pem(String what, byte[] content) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    return ("-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n")
        .getBytes(StandardCharsets.US_ASCII);
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

  /** Writes both files. */
  public void write(Path chain, Path key) throws Exception {
    Files.write(chain, chainPem());
    Files.write(key, keyPem());
  }
}
