package io.pensieve.server;

import io.pensieve.log.Codec;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import java.io.PrintStream;
import java.util.List;

/** Where it is said who may do what: in a file, in the environment, or nowhere. */
final class TokenSource {
  private TokenSource() {}

  /**
   * Reads the tokens; without any, anyone may do anything.
   *
   * @param fileReloader reads the file again when it changes
   * @param err is told if others on this machine can read the file
   * @throws StartupException if the tokens cannot be used
   */
  static Authorizer access(
      Configuration configuration, FileReloader fileReloader, PrintStream err) {
    boolean hasPeers = !configuration.peers().isEmpty();
    Authorizer authorizer =
        Authorizer.open(
            configuration.allowedHosts()); // nobody has it before it is what it should be
    configuration.tokens().ifPresent(tokens -> authorizer.replace(tokens));
    configuration
        .tokensFile()
        .ifPresent(
            file -> {
              fileReloader.use(
                  Setting.TOKENS_FILE.title(),
                  List.of(file),
                  contents ->
                      authorizer.replace(
                          complete(Tokens.parse(Codec.utf8().decode(contents.get(0))), hasPeers)));
              FileReloader.warnIfOthersCanUse(file, err);
            });
    return authorizer;
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
