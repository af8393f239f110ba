package io.pensieve.server.http.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Bearer tokens, and the role that each stands for. Immutable. */
public final class Tokens {
  /** The shortest token: 16 characters, so that nobody finds one by trying. */
  public static final int CHARACTERS_MIN = 16;

  /** The longest token. */
  public static final int CHARACTERS_MAX = 512;

  /*
   * A token is compared by its digest, which is as long for every token, in a time that does not
   * depend on where two digests differ, and always with all of them. So the time of an answer tells
   * neither how long a token is, nor how much of a guess was right, nor which one it was.
   *
   * Nothing here has a toString that would show a token, and no message quotes a line: a line that
   * cannot be read may be a token all the same.
   */
  static final Tokens NONE = new Tokens(List.of(), Optional.empty());

  private static final Pattern LINE = Pattern.compile("(read|write|admin|peer)\\s+(\\S+)");
  // What RFC 6750, 2.1 lets a token be made of.
  private static final Pattern TOKEN =
      Pattern.compile("(?=.{" + CHARACTERS_MIN + "," + CHARACTERS_MAX + "}$)[A-Za-z0-9._~+/-]+=*");
  private static final String EXPECTED =
      "expected a role (read, write, admin or peer) and a token of %d to %d letters, digits or -._~+/"
          .formatted(CHARACTERS_MIN, CHARACTERS_MAX);

  private final List<Token> tokens;
  private final Optional<String> peerSecret;

  // An array compares by identity, which nobody does here.
  @SuppressWarnings("ArrayRecordComponent")
  private record Token(Role role, byte[] digest) {
    boolean is(byte[] otherDigest) {
      return MessageDigest.isEqual(digest, otherDigest);
    }
  }

  private Tokens(List<Token> tokens, Optional<String> peerSecret) {
    this.tokens = tokens;
    this.peerSecret = peerSecret;
  }

  /**
   * Reads a role and a token a line; empty lines, and those that begin with {@code #}, are skipped.
   *
   * @throws IllegalArgumentException for a line that is something else, by its number; also if a
   *     token is there twice, or if there is none that opens any entries
   */
  public static Tokens parse(String lines) {
    List<Token> tokens = new ArrayList<>();
    Optional<String> peerSecret = Optional.empty();
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
      if (tokens.stream().anyMatch(known -> known.is(digest))) {
        throw new IllegalArgumentException("line " + number + ": this token is there already");
      }
      tokens.add(new Token(role, digest));
      peerSecret =
          role == Role.PEER ? peerSecret.or(() -> Optional.of(matcher.group(2))) : peerSecret;
    }
    if (tokens.stream().allMatch(token -> token.role() == Role.PEER)) {
      throw new IllegalArgumentException("expected at least one token to read, write or admin");
    }
    return new Tokens(List.copyOf(tokens), peerSecret);
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

  /** Whoever sends this. */
  Optional<Role> roleOf(String token) {
    byte[] digest = digest(token);
    Optional<Role> found = Optional.empty();
    for (Token known : tokens) {
      if (known.is(digest)) {
        found = Optional.of(known.role());
      }
    }
    return found;
  }

  /** What a node shows to another: the first {@code peer} token, if there is one. */
  public Optional<String> peerSecret() {
    return peerSecret;
  }
}
