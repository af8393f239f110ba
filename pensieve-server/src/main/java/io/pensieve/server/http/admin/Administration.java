package io.pensieve.server.http.admin;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What the routes for operators work with.
 *
 * @param copies the folder in which copies of the log are made; empty if there is no log
 * @param capacity changes the bounds of the map; empty if they stay
 */
public record Administration(Optional<Path> copies, Optional<CapacityControl> capacity) {

  /** Of a map without a log, whose bounds stay. */
  public static Administration none() {
    return new Administration(Optional.empty(), Optional.empty());
  }
}
