package io.pensieve.server.http.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.Map;
import org.hawkular.agent.prometheus.text.TextPrometheusMetricsProcessor;
import org.hawkular.agent.prometheus.types.Gauge;
import org.hawkular.agent.prometheus.types.MetricFamily;
import org.hawkular.agent.prometheus.walkers.CollectorPrometheusMetricsWalker;
import org.junit.jupiter.api.Test;

/** What the routes' own labels never have, and the format must be able to tell all the same. */
final class PrometheusTextTest {
  @Test
  void labelsHaveAnyCharacters() {
    Map<String, String> labels =
        Map.of("quote", "a\"b", "backslash", "a\\b", "line", "a\nb", "braces", "{a=\"b\"}");
    PrometheusText out =
        new PrometheusText().family("some_gauge", PrometheusText.Kind.GAUGE, "Some.");
    labels.forEach((name, value) -> out.sample(7, name, value));
    List<MetricFamily> families = parsed(out);
    assertEquals(1, families.size());
    assertEquals(labels.size(), families.get(0).getMetrics().size());
    families
        .get(0)
        .getMetrics()
        .forEach(
            metric -> {
              String name = metric.getLabels().keySet().iterator().next();
              assertEquals(Map.of(name, String.valueOf(labels.get(name))), metric.getLabels());
              assertEquals(7, ((Gauge) metric).getValue());
            });
  }

  private static List<MetricFamily> parsed(PrometheusText out) {
    CollectorPrometheusMetricsWalker walker = new CollectorPrometheusMetricsWalker();
    new TextPrometheusMetricsProcessor(new ByteArrayInputStream(out.utf8()), walker).walk();
    return walker.getAllMetricFamilies();
  }
}
