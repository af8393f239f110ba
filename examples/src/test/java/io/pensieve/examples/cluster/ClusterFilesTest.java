package io.pensieve.examples.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the files for Docker say, held against one another and against the server. */
class ClusterFilesTest {
  private static final Path ROOT = Path.of(System.getProperty("pensieve.root"));
  private static final Path CLUSTER = ROOT.resolve("examples/cluster");

  @Test
  void composeStartsThreeNodesThatKnowTheOthers() throws IOException {
    Map<Integer, String> services = services();
    assertEquals(List.of(1, 2, 3), List.copyOf(services.keySet()));
    services.forEach(
        (node, text) -> {
          assertEquals(List.of("" + node), all(text, "PENSIEVE_NODE_ID: \"(\\d+)\""));
          assertEquals(List.of("127.0.0.1:800" + node + ":7878"), all(text, "- \"(.*:7878)\""));
          assertEquals(List.of("node" + node), all(text, "- \"(.*):/data\""));
          assertEquals(
              List.of("http://node" + node + ":7878"), all(text, "PENSIEVE_ADVERTISE: \"(.*)\""));
          assertEquals(List.of("true"), all(text, "PENSIEVE_REPLICATE: \"(.*)\""));
          assertEquals(List.of("true"), all(text, "PENSIEVE_ALLOW_PLAIN_REPLICATION: \"(.*)\""));
          assertEquals(
              List.of("PENSIEVE_TOKENS"), all(text, "PENSIEVE_TOKENS: \"\\$\\{(\\w+):\\?.*\""));
          List<String> others = new ArrayList<>();
          for (int other : services.keySet()) {
            if (other != node) {
              others.add("http://node" + other + ":7878");
            }
          }
          assertEquals(List.of(String.join(",", others)), all(text, "PENSIEVE_PEERS: \"(.*)\""));
        });
  }

  @Test
  void whatIsPublishedAndKeptIsWhatTheImageSays() throws IOException {
    String image = read("Dockerfile");
    assertEquals(List.of("7878"), all(image, "(?m)^EXPOSE (\\d+)$"));
    assertEquals(List.of("7878"), all(image, "PENSIEVE_PORT=(\\d+)"));
    assertEquals(List.of("/data"), all(image, "(?m)^VOLUME (.*)$"));
    assertEquals(List.of("/data"), all(image, "PENSIEVE_DATA_DIR=(\\S+)"));
    assertEquals(List.of("pensieve"), all(image, "(?m)^USER (.*)$"));
    assertEquals(
        List.of("/opt/pensieve/bin/pensieve"), all(image, "(?m)^ENTRYPOINT \\[\"(.*)\"]$"));
  }

  @Test
  void everythingTheImageCopiesIsThere() throws IOException {
    List<String> copied = all(read("Dockerfile"), "(?m)^COPY (?!--from)(\\S+)");
    assertTrue(copied.size() >= 6, copied::toString);
    for (String path : copied) {
      assertTrue(Files.exists(ROOT.resolve(path)), path);
    }
  }

  @Test
  void everySettingIsOneThatTheServerKnows() throws Exception {
    TreeSet<String> used = new TreeSet<>(all(read("compose.yaml"), "(PENSIEVE_[A-Z_]+)"));
    used.addAll(all(read("Dockerfile"), "(PENSIEVE_[A-Z_]+)"));
    assertEquals(9, used.size(), used::toString);
    String help = help();
    TreeSet<String> known = new TreeSet<>(all(help, "(PENSIEVE_[A-Z_]+)"));
    assertTrue(known.containsAll(used), () -> used + " are not all in\n" + help);
    assertTrue(help.contains("healthcheck"), help);
    String script = read("three-nodes").replaceAll("(?m)^echo .*$", ""); // what it suggests
    for (String flag : all(script, "(--(?!help)[a-z-]+) ")) {
      assertTrue(
          help.contains(flag + "=") || help.contains(flag + "[="),
          () -> flag + " is not in\n" + help);
    }
  }

  private static String help() throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path jar = ROOT.resolve("pensieve-server/target/pensieve-server.jar");
    Process process =
        new ProcessBuilder(java.toString(), "-jar", jar.toString(), "--help")
            .redirectErrorStream(true)
            .start();
    String help = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), help);
    return help;
  }

  private static Map<Integer, String> services() throws IOException {
    Map<Integer, String> services = new TreeMap<>();
    Matcher matcher =
        Pattern.compile("(?m)^  node(\\d):\n((?:    .*\n)+)").matcher(read("compose.yaml"));
    while (matcher.find()) {
      services.put(Integer.parseInt(matcher.group(1)), matcher.group(2));
    }
    return services;
  }

  private static List<String> all(String text, String regex) {
    return Pattern.compile(regex).matcher(text).results().map(found -> found.group(1)).toList();
  }

  private static String read(String file) throws IOException {
    return Files.readString(CLUSTER.resolve(file));
  }
}
