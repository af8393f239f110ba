package io.pensieve.server;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate and its key, made by the JDK's own keytool. */
public final class Certificates {
  private static final String PASSWORD = "only-for-this-file";

  private static final String THIS_MACHINE = "dns:localhost,ip:127.0.0.1";

  private final Path file;
  private final KeyStore store;

  private Certificates(Path file, KeyStore store) {
    this.file = file;
    this.store = store;
  }

  /** Makes a key and its certificate. The algorithm is one of keytool: RSA, EC, Ed25519. */
  public static Certificates make(Path folder, String algorithm) throws Exception {
    return make(file(folder), algorithm, "-validity 2 -ext san=" + THIS_MACHINE);
  }

  /** Makes an authority, which can sign the certificates of others. */
  public static Certificates authority(Path folder) throws Exception {
    return make(file(folder), "EC", "-validity 2 -ext bc=ca:true -ext ku=keyCertSign");
  }

  /** Has this authority sign a certificate for this machine. */
  public Certificates signed() throws Exception {
    return signed("-validity 2 -ext san=" + THIS_MACHINE);
  }

  /** Has this authority sign a certificate for a machine of another name. */
  public Certificates signedForAnother() throws Exception {
    return signed("-validity 2 -ext san=dns:another.example");
  }

  /** Has this authority sign a certificate that has expired. */
  public Certificates signedAndExpired() throws Exception {
    return signed("-startdate -9d -validity 2 -ext san=" + THIS_MACHINE);
  }

  /** Makes a certificate that signs itself, and has expired. */
  public static Certificates expired(Path folder) throws Exception {
    return make(file(folder), "EC", "-startdate -9d -validity 2 -ext san=" + THIS_MACHINE);
  }

  private Certificates signed(String arguments) throws Exception {
    Path copy = file(file.resolveSibling("."));
    Files.copy(file, copy);
    KeyStore signer = KeyStore.getInstance(copy.toFile(), PASSWORD.toCharArray());
    signer.setKeyEntry(
        "authority",
        signer.getKey("it", PASSWORD.toCharArray()),
        PASSWORD.toCharArray(),
        signer.getCertificateChain("it"));
    signer.deleteEntry("it");
    try (OutputStream out = Files.newOutputStream(copy)) {
      signer.store(out, PASSWORD.toCharArray());
    }
    return make(copy, "EC", arguments + " -signer authority");
  }

  private static Path file(Path folder) {
    return folder.resolve(System.nanoTime() + ".p12");
  }

  private static Certificates make(Path file, String algorithm, String arguments) throws Exception {
    keytool(file, "-genkeypair -alias it -dname CN=test -keyalg " + algorithm + " " + arguments);
    KeyStore store = KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    if (store.containsAlias("authority")) {
      store.deleteEntry("authority"); // else a server might show it for its own
    }
    return new Certificates(file, store);
  }

  private static void keytool(Path file, String arguments) throws Exception {
    Path keytool = Path.of(System.getProperty("java.home", ""), "bin", "keytool");
    List<String> command = new ArrayList<>(List.of(keytool.toString()));
    command.addAll(List.of(arguments.split(" ", -1)));
    command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
    command.addAll(List.of("-keystore", file.toString()));
    Path said = Files.createTempFile(file.toAbsolutePath().getParent(), "keytool", ".txt");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException(arguments + ": " + Files.readString(said));
    }
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
  public X509Certificate certificate() throws GeneralSecurityException {
    return (X509Certificate) store.getCertificate("it");
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

  /** What a server has that shows this. */
  public SSLContext showing() throws Exception {
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
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
