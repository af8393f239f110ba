package io.pensieve.server.http.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.server.http.json.ProblemException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QueryParametersTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"wait=1s", "a=b&wait=1s", "w%61it=1s&a=b", "x=wait&%77ait=%31s", "%zz=1&wait=1s"})
  void aParameterIsFoundHoweverItsNameIsEscaped(String query) {
    assertEquals(Optional.of("1s"), QueryParameters.find(query, "wait"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "wait", "await=1s", "waiting=1s", "x=wait=1s", "%zzwait=1s", "%77ait"})
  void anotherParameterIsNotTakenForIt(String query) {
    assertEquals(Optional.empty(), QueryParameters.find(query, "wait"));
    assertEquals(query, QueryParameters.without(query, "wait"));
  }

  @Test
  void theRestOfAQueryStaysAsItIs() {
    assertEquals("a=%31&b=+", QueryParameters.without("a=%31&w%61it=1s&b=+", "wait"));
    assertEquals("", QueryParameters.without("wait=1s", "wait"));
  }

  @Test
  void aValueThatCannotBeDecodedIsRefused() {
    assertThrows(ProblemException.class, () -> QueryParameters.find("wait=%ff", "wait"));
  }
}
