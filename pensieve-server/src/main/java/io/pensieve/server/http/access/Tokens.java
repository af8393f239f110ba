package io.pensieve.server.http.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Bearer tokens and their roles. Immutable. */
public final class Tokens {
  /** The minimum length: 16 characters, so that nobody can guess a token. */
  public static final int CHARACTERS_MIN = 16;

  /** The maximum length. */
  public static final int CHARACTERS_MAX = 512;

  /*
   * Tokens are compared by their digests, which all have the same length. A comparison takes
   * constant time, and a lookup always compares all tokens. So the response time reveals neither
   * the length of a token, nor how much of a guess was right, nor which token matched.
   *
   * No toString shows a token, and no message quotes a line: an unreadable line may still contain a
   * token.
   */
  static final Tokens NONE = new Tokens(List.of(), Optional.empty());

  private static final Pattern LINE = Pattern.compile("(read|write|admin|peer)\\s+(\\S+)");
  // The characters of a token, from RFC 6750, 2.1.
  private static final Pattern TOKEN =
      Pattern.compile("(?=.{" + CHARACTERS_MIN + "," + CHARACTERS_MAX + "}$)[A-Za-z0-9._~+/-]+=*");
  private static final String EXPECTED =
      "expected a role (read, write, admin or peer) and a token of %d to %d letters, digits or -._~+/"
          .formatted(CHARACTERS_MIN, CHARACTERS_MAX);

  private final List<Token> tokens;
  private final Optional<String> peerToken;

  // Arrays compare by identity, but no code compares these records.
  @SuppressWarnings("ArrayRecordComponent")
  private record Token(Role role, byte[] digest) {
    boolean matches(byte[] otherDigest) {
      return MessageDigest.isEqual(digest, otherDigest);
    }
  }

  private Tokens(List<Token> tokens, Optional<String> peerToken) {
    this.tokens = tokens;
    this.peerToken = peerToken;
  }

  /**
   * Parses one role and one token per line. Skips empty lines, and lines that begin with {@code #}.
   *
   * @throws IllegalArgumentException for an invalid line, by its number; also for a duplicate
   *     token, or if no token grants access to entries
   */
  public static Tokens parse(String lines) {
    List<Token> tokens = new ArrayList<>();
    Optional<String> peerToken = Optional.empty();
    int number = 0;
    for (String line : lines.lines().map(String::strip).toList()) {
      number++;
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches() || !TOKEN.matcher(matcher.group(2)).matches()) {
        throw new IllegalArgumentException("line " + number + ": " + EXPECTED);
      }
      Role role = Role.titled(matcher.group(1));
      byte[] digest = digest(matcher.group(2));
      if (tokens.stream().anyMatch(known -> known.matches(digest))) {
        throw new IllegalArgumentException("line " + number + ": this token is there already");
      }
      tokens.add(new Token(role, digest));
      peerToken = role == Role.PEER ? peerToken.or(() -> Optional.of(matcher.group(2))) : peerToken;
    }
    if (tokens.stream().allMatch(token -> token.role() == Role.PEER)) {
      throw new IllegalArgumentException("expected at least one token to read, write or admin");
    }
    return new Tokens(List.copyOf(tokens), peerToken);
  }

  private static byte[] digest(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }

  boolean isEmpty() {
    return tokens.isEmpty();
  }

  /** Returns the role of this token. */
  Optional<Role> roleOf(String token) {
    byte[] digest = digest(token);
    Optional<Role> found = Optional.empty();
    for (Token known : tokens) {
      if (known.matches(digest)) {
        found = Optional.of(known.role());
      }
    }
    return found;
  }

  /**
   * Returns the token that a node sends to its peers: the first {@code peer} token, if there is
   * one.
   */
  public Optional<String> peerToken() {
    return peerToken;
  }
}
