package io.pensieve.server.http.admin;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What the routes for operators work with.
 *
 * @param copies the folder in which copies of the log are made; empty if there is no log
 */
public record Administration(Optional<Path> copies) {

  /** Of a map without a log. */
  public static Administration none() {
    return new Administration(Optional.empty());
  }
}
