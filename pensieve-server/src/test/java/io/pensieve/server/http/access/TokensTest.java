package io.pensieve.server.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TokensTest {
  private static final String READER = "reader-0123456789";
  private static final String WRITER = "writer-0123456789";

  @Test
  void eachTokenStandsForItsRole() {
    Tokens tokens =
        Tokens.parse(
            """
            # who may do what

            read reader-0123456789
              write\twriter-0123456789 \s
            admin admin-0123456789==
            peer peer-0123456789abc
            peer older-0123456789ab
            """);
    assertEquals(Optional.of(Role.READ), tokens.roleOf(READER));
    assertEquals(Optional.of(Role.WRITE), tokens.roleOf(WRITER));
    assertEquals(Optional.of(Role.ADMIN), tokens.roleOf("admin-0123456789=="));
    assertEquals(Optional.of(Role.PEER), tokens.roleOf("peer-0123456789abc"));
    assertEquals(Optional.of(Role.PEER), tokens.roleOf("older-0123456789ab"));
    assertEquals(Optional.of("peer-0123456789abc"), tokens.peerToken());
  }

  @Test
  void whatIsNotATokenStandsForNoRole() {
    Tokens tokens = Tokens.parse("read " + READER + "\nwrite " + WRITER);
    for (String other :
        new String[] {"", "reader", READER + "0", READER.toUpperCase(Locale.ROOT)}) {
      assertEquals(Optional.empty(), tokens.roleOf(other), other);
    }
    assertEquals(Optional.empty(), tokens.peerToken());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "secret-0123456789",
        "read",
        "read secret-01234567",
        "owner secret-0123456789",
        "READ secret-0123456789",
        "anyone secret-0123456789",
        "read secret-0123456789 more",
        "read secret-0123456789,secret",
        "read secret-0123456789é",
        "read =secret-0123456789",
        "secret-0123456789 read",
        "write writer-0123456789",
      })
  void aLineThatIsNoneIsRefusedByItsNumberAndNotQuoted(String line) {
    // The last one is a proper line, but its token is there already.
    String lines = "write writer-0123456789\n\n" + line;
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Tokens.parse(lines));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith("line 3: "), message);
    assertFalse(message.contains("0123456789"), message);
  }

  @Test
  void aTokenHasItsLengths() {
    assertRefused("read " + "a".repeat(Tokens.CHARACTERS_MIN - 1));
    assertRefused("read " + "a".repeat(Tokens.CHARACTERS_MAX + 1));
    String longest = "a".repeat(Tokens.CHARACTERS_MAX);
    String shortest = "a".repeat(Tokens.CHARACTERS_MIN);
    Tokens tokens = Tokens.parse("read " + longest + "\nwrite " + shortest);
    assertEquals(Optional.of(Role.READ), tokens.roleOf(longest));
    assertEquals(Optional.of(Role.WRITE), tokens.roleOf(shortest));
  }

  @Test
  void tokensThatLetNobodyInAreRefused() {
    assertRefused("");
    assertRefused("# none yet\n");
    assertRefused("peer peer-0123456789abc\n");
  }

  private static void assertRefused(String lines) {
    assertThrows(IllegalArgumentException.class, () -> Tokens.parse(lines));
  }
}
