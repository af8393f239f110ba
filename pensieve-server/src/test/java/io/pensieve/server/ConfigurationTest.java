package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Durability;
import io.pensieve.server.http.value.HeapShares;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigurationTest {
  private static final String TOKENS = "read reader-0123456789";

  @Test
  void defaults() {
    Configuration configuration = configured(Map.of(), Map.of());
    assertEquals("127.0.0.1", configuration.address().getAddress().getHostAddress());
    assertEquals(7878, configuration.address().getPort());
    assertEquals(1000, configuration.capacity());
    assertEquals(Path.of("./pensieve-data"), configuration.dataDir());
    assertEquals(Optional.of(Durability.PROCESS_DEATH), configuration.durability());
    assertEquals(1, configuration.nodeId());
    assertEquals(List.of(), configuration.peers());
    assertEquals(Optional.empty(), configuration.tokensFile());
    assertTrue(configuration.tokens().isEmpty());
    assertEquals(1024, configuration.limits().keyBytesMax());
    assertEquals(16 << 20, configuration.limits().valueBytesMax());
  }

  @Test
  void aFlagComesBeforeTheEnvironment() {
    Map<String, String> environment = Map.of("PENSIEVE_PORT", "2", "PORT", "3");
    assertEquals(new SettingValue("1", "--port"), port(Map.of(Setting.PORT, "1"), environment));
  }

  @Test
  void ourNameComesBeforeTheSeeds() {
    assertEquals(
        new SettingValue("2", "environment PENSIEVE_PORT"),
        port(Map.of(), Map.of("PENSIEVE_PORT", "2", "PORT", "3")));
  }

  @Test
  void theSeedsNameComesBeforeTheDefault() {
    assertEquals(new SettingValue("3", "environment PORT"), port(Map.of(), Map.of("PORT", "3")));
  }

  @Test
  void anEmptyVariableIsAnUnsetOne() {
    assertEquals(
        new SettingValue("3", "environment PORT"),
        port(Map.of(), Map.of("PENSIEVE_PORT", "", "PORT", "3")));
  }

  @ParameterizedTest
  @CsvSource({"NODE_ID, 5", "PENSIEVE_NODE_ID, 5"})
  void theEnvironmentNamesTheNode(String name, String id) {
    assertEquals(5, configured(Map.of(), Map.of(name, id)).nodeId());
  }

  @Test
  void everySettingHasAFlagAndAName() {
    assertEquals("--data-dir", Setting.DATA_DIR.flag());
    assertEquals(List.of("PENSIEVE_DATA_DIR"), Setting.DATA_DIR.environmentNames());
    assertEquals(List.of("PENSIEVE_PEERS", "PEERS"), Setting.PEERS.environmentNames());
  }

  @Test
  void peersAreUrlsEachOnce() {
    String peers = "http://a:1, http://b:2/,,http://a:1/,http://[::1]:3";
    assertEquals(
        List.of(URI.create("http://a:1"), URI.create("http://b:2"), URI.create("http://[::1]:3")),
        configured(Map.of(Setting.PEERS, peers), Map.of()).peers());
  }

  @ParameterizedTest
  @CsvSource({
    "PORT, x",
    "PORT, -1",
    "PORT, 65536",
    "PORT, ''",
    "PORT, 99999999999999999999",
    "CAPACITY, 0",
    "CAPACITY, 1.5",
    "DURABILITY, always",
    "DURABILITY, POWER-CUT",
    "NODE_ID, -1",
    "BIND, 'no such host'",
    "DATA_DIR, 'a\0b'",
    "TOKENS_FILE, 'a\0b'",
    "PEERS_CA, 'a\0b'",
    "ALLOW_ANONYMOUS, yes",
    "UI, yes",
    "KEY_BYTES_MAX, 0",
    "VALUE_BYTES_MAX, 99999999999",
    "HEADER_BYTES_MAX, 1023",
    "CONNECTIONS_MAX, 99999999999",
    "REQUESTS_MAX, 99999999999",
    "WATCHERS_MAX, 99999999999"
  })
  void badValuesAreRefusedByNameAndSource(Setting setting, String text) {
    StartupException refused =
        assertThrows(StartupException.class, () -> configured(Map.of(setting, text), Map.of()));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith(setting.flag() + ": expected "), message);
    assertTrue(message.endsWith("found \"" + text + "\""), message);
    assertEquals(1, message.lines().count());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TOKENS_FILE", "DATA_DIR", "PEERS", "ACCESS_LOG", "BIND", "CONFIG"})
  void anEmptyFlagHidesNothing(String name) {
    Setting setting = Setting.valueOf(name);
    for (String empty : new String[] {"", " "}) {
      assertRefused(
          setting.flag() + ": expected ",
          Map.of(setting, empty),
          Map.of("PENSIEVE_TOKENS_FILE", "tokens"));
    }
  }

  @Test
  void thePageCanBeTurnedOff() {
    assertTrue(configured(Map.of(), Map.of()).ui());
    assertFalse(configured(Map.of(Setting.UI, "false"), Map.of()).ui());
    assertFalse(configured(Map.of(), Map.of("PENSIEVE_UI", "false")).ui());
  }

  @Test
  void everyKeyFitsIntoAHead() {
    assertEquals(16_384, configured(Map.of(), Map.of()).limits().headerBytesMax());
    Map<Setting, String> longKeys = Map.of(Setting.KEY_BYTES_MAX, "65536");
    assertEquals(3 * 65_536 + 4096, configured(longKeys, Map.of()).limits().headerBytesMax());
    String message =
        assertRefused(
            "environment PENSIEVE_HEADER_BYTES_MAX: a key of 65536 bytes needs 200704 bytes",
            longKeys,
            Map.of("PENSIEVE_HEADER_BYTES_MAX", "16384"));
    assertTrue(message.endsWith("found \"16384\""), message);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, http://127.0.0.1:9",
    "127.1.2.3, http://127.1.2.3:9",
    "0.0.0.0, http://127.0.0.1:9",
    "'::', http://127.0.0.1:9",
    "'::1', 'http://[0:0:0:0:0:0:0:1]:9'"
  })
  void aServerIsAskedWhereItListens(String bind, String url) {
    Map<Setting, String> flags = Map.of(Setting.BIND, bind, Setting.PORT, "9");
    assertEquals(url, Configuration.localUrl(SettingValue.resolve(flags, Map.of())));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "node2:8002",
        "ftp://a",
        "wss://a",
        "https://",
        "https://a/path",
        "http://",
        "http://a/path",
        "http://a?x",
        "http://a#x",
        "http://u@a",
        "http://a b",
        "http://a,x"
      })
  void badPeersAreRefused(String peers) {
    StartupException refused =
        assertThrows(
            StartupException.class, () -> configured(Map.of(), Map.of("PENSIEVE_PEERS", peers)));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith("environment PENSIEVE_PEERS: expected "), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::", "203.0.113.1"})
  void beyondLoopbackItListensOnlyWithTokensOrForAnyoneByConsent(String bind) {
    assertRefused("--bind: refused to listen on ", Map.of(Setting.BIND, bind), Map.of("PORT", "1"));
    configured(Map.of(Setting.BIND, bind, Setting.ALLOW_ANONYMOUS, "true"), Map.of());
    configured(Map.of(Setting.BIND, bind, Setting.TOKENS_FILE, "tokens"), Map.of());
    configured(Map.of(Setting.BIND, bind), Map.of("PENSIEVE_TOKENS", TOKENS));
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
  void onLoopbackNobodyHasToConsent(String bind) {
    assertTrue(configured(Map.of(Setting.BIND, bind), Map.of()).tokens().isEmpty());
  }

  @Test
  void tokensAreGivenOnceAndNotBesideConsent() {
    assertRefused(
        "--tokens-file and environment PENSIEVE_TOKENS: ",
        Map.of(Setting.TOKENS_FILE, "tokens"),
        Map.of("PENSIEVE_TOKENS", TOKENS));
    assertRefused(
        "--allow-anonymous: ",
        Map.of(Setting.ALLOW_ANONYMOUS, "true"),
        Map.of("PENSIEVE_TOKENS", TOKENS));
    assertRefused(
        "--allow-anonymous: ",
        Map.of(Setting.ALLOW_ANONYMOUS, "true", Setting.TOKENS_FILE, "tokens"),
        Map.of());
  }

  @Test
  void tokensOfTheEnvironmentThatCannotBeUsedAreNotQuoted() {
    String message =
        assertRefused(
            "environment PENSIEVE_TOKENS: line 2: ",
            Map.of(),
            Map.of("PENSIEVE_TOKENS", TOKENS + ",secret-0123456789"));
    assertFalse(message.contains("0123456789"), message);
  }

  @Test
  void nodesWithPeersAndTokensNeedASecretOfTheirOwn() {
    Map<Setting, String> peers = Map.of(Setting.PEERS, "http://a:1");
    assertRefused(
        "environment PENSIEVE_TOKENS: expected a peer token",
        peers,
        Map.of("PENSIEVE_TOKENS", TOKENS));
    String both = TOKENS + ",peer peer-0123456789abc";
    assertTrue(configured(peers, Map.of("PENSIEVE_TOKENS", both)).tokens().isPresent());
  }

  @Test
  void aCertificateAndItsKeyBelongTogether() {
    Map<Setting, String> certificate = Map.of(Setting.TLS_CERTIFICATE, "c.pem");
    assertRefused("--tls-certificate: ", certificate, Map.of());
    assertRefused("--tls-key: ", Map.of(Setting.TLS_KEY, "k.pem"), Map.of());
    Map<String, String> key = Map.of("PENSIEVE_TLS_KEY", "k.pem");
    assertEquals(
        List.of(Path.of("c.pem"), Path.of("k.pem")), configured(certificate, key).tlsFiles());
  }

  @Test
  void whoSpeaksTlsWatchesNobodyWithoutIt() {
    Map<Setting, String> tls = Map.of(Setting.TLS_CERTIFICATE, "c.pem", Setting.TLS_KEY, "k.pem");
    String message =
        assertRefused(
            "environment PEERS: http://b:1 ", tls, Map.of("PEERS", "https://a:1,http://b:1"));
    assertTrue(message.contains("give https URLs for all peers"), message);
    assertEquals(
        List.of(URI.create("https://a:1"), URI.create("https://b")),
        configured(tls, Map.of("PEERS", "https://a:1,https://b/")).peers());
  }

  @Test
  void authoritiesOfPeersAreForPeersWithTls() {
    Map<Setting, String> ca = Map.of(Setting.PEERS_CA, "ca.pem");
    assertRefused("--peers-ca: http://b:1 shows no certificate", ca, Map.of("PEERS", "http://b:1"));
    assertEquals(
        Optional.of(Path.of("ca.pem")), configured(ca, Map.of("PEERS", "https://a:1")).peersCa());
    assertEquals(Optional.of(Path.of("ca.pem")), configured(ca, Map.of()).peersCa());
    assertEquals(Optional.empty(), configured(Map.of(), Map.of("PEERS", "https://a:1")).peersCa());
  }

  private static String assertRefused(
      String start, Map<Setting, String> flags, Map<String, String> environment) {
    StartupException refused =
        assertThrows(StartupException.class, () -> configured(flags, environment));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith(start), message);
    return message;
  }

  private static Configuration configured(
      Map<Setting, String> flags, Map<String, String> environment) {
    return Configuration.of(SettingValue.resolve(flags, environment));
  }

  private static SettingValue port(Map<Setting, String> flags, Map<String, String> environment) {
    SettingValue value = SettingValue.resolve(flags, environment).get(Setting.PORT);
    if (value == null) {
      throw new AssertionError("PORT is not resolved");
    }
    return value;
  }

  @ParameterizedTest
  @CsvSource({"REQUESTS_MAX", "WATCHERS_MAX"})
  void noMoreClientsThanTheHeapHasRoomFor(Setting setting) {
    HeapShares shares = HeapShares.ofProcess();
    long most = setting == Setting.REQUESTS_MAX ? shares.requestsMax() : shares.watchersMax();
    assertRefused(
        setting.flag() + ": expected a number from ",
        Map.of(setting, String.valueOf(most + 1)),
        Map.of());
    Configuration unused = configured(Map.of(setting, String.valueOf(most)), Map.of());
  }
}
