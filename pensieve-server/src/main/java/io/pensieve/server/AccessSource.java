package io.pensieve.server;

import io.pensieve.log.Codec;
import io.pensieve.server.http.Access;
import io.pensieve.server.http.Tokens;
import java.io.PrintStream;
import java.util.List;

/** Where it is said who may do what: in a file, in the environment, or nowhere. */
final class AccessSource {
  private AccessSource() {}

  /**
   * Reads the tokens; without any, anyone may do anything.
   *
   * @param reloads reads the file again when it changes
   * @param err is told if others on this machine can read the file
   * @throws StartFailure if the tokens cannot be used
   */
  static Access access(Configuration configuration, Reloads reloads, PrintStream err) {
    boolean hasPeers = !configuration.peers().isEmpty();
    Access access =
        Access.open(configuration.allowedHosts()); // nobody has it before it is what it should be
    configuration.tokens().ifPresent(tokens -> access.replace(tokens));
    configuration
        .tokensFile()
        .ifPresent(
            file -> {
              reloads.use(
                  Setting.TOKENS_FILE.title(),
                  List.of(file),
                  contents ->
                      access.replace(
                          complete(Tokens.parse(Codec.utf8().decode(contents.get(0))), hasPeers)));
              Reloads.warnIfOthersCanUse(file, err);
            });
    return access;
  }

  /**
   * The same tokens.
   *
   * @throws IllegalArgumentException if a node with peers could not show them a secret: they would
   *     all take it for dead
   */
  static Tokens complete(Tokens tokens, boolean hasPeers) {
    if (hasPeers && tokens.peerSecret().isEmpty()) {
      throw new IllegalArgumentException("expected a peer token too, since there are peers");
    }
    return tokens;
  }
}
