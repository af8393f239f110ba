package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.replication.consensus.Member;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members that prove to one another who they are. */
class PeerTlsTest {
  private static final String PASSWORD = "only-for-this-file";

  private final Path folder;

  PeerTlsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  /** A certificate that signs itself, with its key. */
  private record Identity(X509Certificate certificate, PrivateKey key) {}

  private Identity identity(String name) throws Exception {
    Path file = folder.resolve(name + ".p12");
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home", ""), "bin", "keytool").toString()));
    command.addAll(List.of("-genkeypair", "-alias", "it", "-dname", "CN=" + name));
    command.addAll(List.of("-keyalg", "EC", "-validity", "2", "-ext", "san=ip:127.0.0.1"));
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
    command.addAll(List.of("-keystore", file.toString(), "-J-XX:TieredStopAtLevel=1"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).inheritIO().start();
    if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException("keytool failed");
    }
    KeyStore store = KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    return new Identity(
        (X509Certificate) store.getCertificate("it"),
        (PrivateKey) store.getKey("it", PASSWORD.toCharArray()));
  }

  private static void use(PeerTls tls, Identity own, Identity... trusted) {
    List<X509Certificate> authorities = new ArrayList<>();
    for (Identity one : trusted) {
      authorities.add(one.certificate());
    }
    tls.replace(List.of(own.certificate()), own.key(), authorities);
  }

  @Test
  void onlyPeersSpeakAtTheRaftPort() throws Exception {
    Identity first = identity("first");
    Identity second = identity("second");
    PeerTls tls = new PeerTls();
    use(tls, first, first);
    List<String> lines = new CopyOnWriteArrayList<>();
    try (TestCluster cluster =
        TestCluster.ofThree(folder, settings -> settings.tls(tls).onEvent(lines::add))) {
      cluster.put("one");
      Member member = cluster.member("a");
      assertEquals(first.certificate(), speak(member, first));
      assertEquals(List.of(), refusals(lines));
      assertThrows(IOException.class, () -> speak(member, second));
      assertThrows(IOException.class, () -> speak(member, null));
      assertEquals(
          List.of(
              "no connection with a peer, whose certificate is of CN=second: "
                  + "unable to find valid certification path to requested target"),
          refusals(lines));

      use(tls, second, second);
      assertEquals(second.certificate(), speak(member, second));
      assertThrows(IOException.class, () -> speak(member, first));
      String follower = cluster.leaderId().equals("a") ? "b" : "a";
      cluster.stop(follower);
      cluster.put("two");
      cluster.restart(follower);
      cluster.put("three");
      cluster.awaitApplied(List.of("one", "two", "three"));
    }
  }

  private static List<String> refusals(List<String> lines) {
    return lines.stream().filter(line -> line.startsWith("no connection")).toList();
  }

  /** Connects, reads what a server of HTTP/2 says first, and returns the server's certificate. */
  private static X509Certificate speak(Member member, @Nullable Identity identity)
      throws Exception {
    KeyManager[] keys = new KeyManager[0];
    if (identity != null) {
      keys = new KeyManager[] {new Insistent(identity)};
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys, new TrustManager[] {new Credulous()}, new SecureRandom());
    try (SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket(member.host(), member.port())) {
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2"});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      if (socket.getInputStream().read() < 0) {
        throw new IOException("closed");
      }
      return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }
  }

  /** Shows its certificate also to a server that does not ask for one of its authority. */
  private static final class Insistent extends X509ExtendedKeyManager {
    private final Identity identity;

    Insistent(Identity identity) {
      this.identity = identity;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return "it";
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return new X509Certificate[] {identity.certificate()};
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return identity.key();
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
      return new String[] {"it"};
    }

    @Override
    public @Nullable String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return null;
    }

    @Override
    public String @Nullable [] getServerAliases(String type, Principal[] issuers) {
      return null;
    }
  }

  private static final class Credulous implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
