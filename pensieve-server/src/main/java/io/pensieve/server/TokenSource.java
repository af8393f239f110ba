package io.pensieve.server;

import io.pensieve.log.Codec;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import java.io.PrintStream;
import java.util.List;

/** Loads the tokens: from a file, from the environment, or none. */
final class TokenSource {
  private TokenSource() {}

  /**
   * Loads the tokens. Without tokens, anyone may do anything.
   *
   * @param fileReloader reloads the file when it changes
   * @param err receives a warning if others on this machine can read the file
   * @throws StartupException if the tokens are invalid
   */
  static Authorizer access(
      Configuration configuration, FileReloader fileReloader, PrintStream err) {
    boolean hasPeers = !configuration.peers().isEmpty();
    Authorizer authorizer =
        Authorizer.open(configuration.allowedHosts()); // not published before it is complete
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
                          Configuration.complete(
                              Tokens.parse(Codec.utf8().decode(contents.get(0))), hasPeers)));
              FileReloader.warnIfOthersCanUse(file, err);
            });
    return authorizer;
  }
}
