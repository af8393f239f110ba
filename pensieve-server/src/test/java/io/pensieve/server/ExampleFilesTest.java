package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The files for systemd and Kubernetes in the examples, held against the server. */
final class ExampleFilesTest {
  private static final Path EXAMPLES = Path.of("../examples");
  private static final Path LAUNCHER = Path.of("bin/pensieve");
  private static final Pattern VARIABLE = Pattern.compile("\\b(PENSIEVE_[A-Z_]+)\\b");
  private static final Set<String> OF_LAUNCHER = Set.of("PENSIEVE_HEAP");

  private static String read(String file) throws Exception {
    return Files.readString(EXAMPLES.resolve(file));
  }

  private static void assertKnown(String text) throws Exception {
    Set<String> known =
        Arrays.stream(Setting.values())
            .flatMap(setting -> setting.environmentNames().stream())
            .collect(Collectors.toSet());
    String launcher = Files.readString(LAUNCHER);
    for (MatchResult variable : VARIABLE.matcher(text).results().toList()) {
      String name = variable.group(1);
      boolean isOfLauncher = OF_LAUNCHER.contains(name) && launcher.contains("${" + name + "-}");
      assertTrue(known.contains(name) || isOfLauncher, name);
    }
  }

  /** The lines of a unit, by section and name. */
  private static Map<String, List<String>> unit() throws Exception {
    Map<String, List<String>> unit = new HashMap<>();
    String section = "";
    for (String line : read("systemd/pensieve.service").lines().toList()) {
      if (line.startsWith("[")) {
        section = line;
      } else if (!line.isBlank() && !line.startsWith("#")) {
        String[] nameAndValue = line.split("=", 2);
        assertEquals(2, nameAndValue.length, line);
        assertTrue(nameAndValue[0].matches("[A-Z][A-Za-z]+"), line);
        unit.computeIfAbsent(section + nameAndValue[0], unused -> new ArrayList<>())
            .add(nameAndValue[1]);
      }
    }
    return unit;
  }

  private static String first(Map<String, List<String>> unit, String name) {
    return Objects.requireNonNull(unit.get(name), name).get(0);
  }

  @Test
  void theUnitStartsTheLauncherWithSettingsThatThereAre() throws Exception {
    assertKnown(read("systemd/pensieve.service"));
    Map<String, List<String>> unit = unit();
    assertEquals(List.of("/opt/pensieve/bin/pensieve"), unit.get("[Service]ExecStart"));
    assertTrue(
        first(unit, "[Service]ExecStartPost").contains("/opt/pensieve/bin/pensieve healthcheck"));
    assertTrue(first(unit, "[Service]ExecReload").contains("-HUP"));
    assertEquals(List.of("strict"), unit.get("[Service]ProtectSystem"));
    assertEquals(List.of("yes"), unit.get("[Service]NoNewPrivileges"));
    assertEquals(List.of("multi-user.target"), unit.get("[Install]WantedBy"));
    assertFalse(unit.containsKey("[Service]MemoryDenyWriteExecute"), "Java compiles");
    unit.forEach(
        (name, values) ->
            assertTrue(values.size() == 1 || name.endsWith("Environment"), name + " " + values));
    // A stop has all the time that it may take.
    Map<Setting, SettingValue> defaults = SettingValue.resolve(Map.of(), Map.of());
    long drainSeconds = Configuration.of(defaults).connections().drainDeadline().toSeconds();
    long stopSeconds = Long.parseLong(first(unit, "[Service]TimeoutStopSec").replace("s", ""));
    assertTrue(stopSeconds >= drainSeconds + 60, unit::toString);
  }

  @Test
  void theSettingsBesideTheUnitAreTaken() throws Exception {
    Path file = EXAMPLES.resolve("systemd/pensieve.properties");
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    flags.put(Setting.CONFIG, file.toString());
    Configuration configuration = Configuration.of(SettingValue.resolve(flags, Map.of()));
    assertEquals(100_000, configuration.capacity());
    for (String line : read("systemd/pensieve.properties").lines().toList()) {
      if (line.matches("#[a-z-]+=.*")) { // what one may take in
        String name = line.substring(1, line.indexOf('='));
        assertTrue(
            Arrays.stream(Setting.values()).anyMatch(setting -> setting.title().equals(name)),
            line);
      }
    }
  }

  private static List<Map<String, Object>> manifests() throws Exception {
    LoaderOptions strict = new LoaderOptions();
    strict.setAllowDuplicateKeys(false);
    List<Map<String, Object>> manifests = new ArrayList<>();
    for (Object each :
        new Yaml(new SafeConstructor(strict)).loadAll(read("kubernetes/pensieve.yaml"))) {
      manifests.add(map(each));
    }
    return manifests;
  }

  @SuppressWarnings("unchecked") // YAML has texts as names here
  private static Map<String, Object> map(Object yaml) {
    return (Map<String, Object>) yaml;
  }

  /** Follows names, and numbers in lists. */
  private static Object at(Object yaml, Object... steps) {
    Object found = yaml;
    for (Object step : steps) {
      Object next =
          step instanceof Integer index ? ((List<?>) found).get(index) : map(found).get(step);
      found = Objects.requireNonNull(next, () -> "no " + step);
    }
    return found;
  }

  private static Map<String, Object> manifest(String kind, String name) throws Exception {
    return manifests().stream()
        .filter(each -> kind.equals(each.get("kind")) && at(each, "metadata", "name").equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void manifestsSelectThePodsOfTheSet() throws Exception {
    assertEquals(5, manifests().size());
    Map<String, Object> set = manifest("StatefulSet", "pensieve");
    Object labels = at(set, "spec", "template", "metadata", "labels");
    assertEquals(labels, at(set, "spec", "selector", "matchLabels"));
    assertEquals("pensieve-nodes", at(set, "spec", "serviceName"));
    Map<String, Object> headless = manifest("Service", "pensieve-nodes");
    assertEquals("None", at(headless, "spec", "clusterIP"));
    assertEquals(true, at(headless, "spec", "publishNotReadyAddresses"));
    assertEquals(labels, at(headless, "spec", "selector"));
    assertEquals(labels, at(manifest("Service", "pensieve"), "spec", "selector"));
    Map<String, Object> budget = manifest("PodDisruptionBudget", "pensieve");
    assertEquals(labels, at(budget, "spec", "selector", "matchLabels"));
    assertEquals(1, at(budget, "spec", "maxUnavailable"));
    Map<String, Object> policy = manifest("NetworkPolicy", "pensieve");
    assertEquals(labels, at(policy, "spec", "podSelector", "matchLabels"));
    assertEquals(17_878, at(policy, "spec", "ingress", 1, "ports", 0, "port"));
  }

  @Test
  void aPodOfTheManifestsIsANodeThatStarts() throws Exception {
    assertKnown(read("kubernetes/pensieve.yaml").replaceAll("(?m)#.*$", ""));
    Map<String, Object> set = manifest("StatefulSet", "pensieve");
    Object pod = at(set, "spec", "template", "spec");
    assertEquals(false, at(pod, "enableServiceLinks"));
    Object container = at(pod, "containers", 0);
    for (String probe : List.of("startupProbe", "livenessProbe")) {
      assertEquals("/livez", at(container, probe, "httpGet", "path"));
    }
    assertEquals("/readyz", at(container, "readinessProbe", "httpGet", "path"));
    Map<String, String> environment = new HashMap<>();
    for (Object each : (List<?>) at(container, "env")) {
      Map<String, Object> variable = map(each);
      if (variable.containsKey("value")) {
        environment.put(
            Objects.requireNonNull((String) variable.get("name")),
            Objects.requireNonNull((String) variable.get("value"))
                .replace("$(POD_NAME)", "pensieve-1"));
      }
    }
    environment.put("PENSIEVE_NODE_ID", "1");
    assertEquals(List.of(), EnvironmentNames.requireNoneMistyped(environment));
    Configuration node = Configuration.of(SettingValue.resolve(Map.of(), environment));
    assertEquals(3, node.peers().size());
    assertEquals(at(set, "spec", "replicas"), node.peers().size());
    assertTrue(node.peers().contains(node.raft().orElseThrow().url()), node::toString);
    Set<Object> ports = new TreeSet<>();
    ((List<?>) at(container, "ports")).forEach(port -> ports.add(at(port, "containerPort")));
    assertEquals(Set.of(node.address().getPort(), node.raft().orElseThrow().port()), ports);
    Object mounted = at(container, "volumeMounts", 0, "mountPath");
    assertTrue(node.dataDir().startsWith((String) mounted), node::toString);
    int grace = (Integer) at(pod, "terminationGracePeriodSeconds");
    assertTrue(grace >= node.connections().drainDeadline().toSeconds() + 60);
  }
}
