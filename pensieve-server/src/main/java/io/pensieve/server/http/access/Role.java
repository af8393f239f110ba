package io.pensieve.server.http.access;

import java.util.Locale;

/**
 * What a route asks of whoever calls it, and what a token stands for. Of {@code READ}, {@code
 * WRITE} and {@code ADMIN} each may do what those before it may. {@code PEER} is apart: it opens
 * the routes between nodes and no others, and nothing else opens those.
 */
public enum Role {
  /** Asks for no token: what a load balancer has to know. No token stands for it. */
  ANYONE,

  /** Reads entries and statistics. */
  READ,

  /** Changes entries. */
  WRITE,

  /** Also what only those who run the server are to see. */
  ADMIN,

  /** Another node. */
  PEER;

  /** Whether someone who is this may call a route that asks for that. */
  boolean mayCall(Role asked) {
    if (asked == PEER || this == PEER) {
      return asked == this || asked == ANYONE;
    }
    return compareTo(asked) >= 0;
  }

  static Role titled(String title) {
    return valueOf(title.toUpperCase(Locale.ROOT));
  }

  /** The name that people read and write. */
  public String title() {
    return name().toLowerCase(Locale.ROOT);
  }
}
