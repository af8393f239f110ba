package io.pensieve.server.http.access;

import java.util.Locale;

/**
 * The role that a route requires, and that a token grants. {@code READ}, {@code WRITE} and {@code
 * ADMIN} each include the roles before them. {@code PEER} is separate: it grants the routes between
 * nodes and no others, and no other role grants those.
 */
public enum Role {
  /** Requires no token, for a load balancer. No token grants it. */
  ANYONE,

  /** Reads entries and statistics. */
  READ,

  /** Changes entries. */
  WRITE,

  /** Also changes the server and the cluster, and many entries at once. */
  ADMIN,

  /** Another node. */
  PEER;

  /** Returns whether a caller with this role may call a route that requires the other one. */
  boolean mayCall(Role asked) {
    if (asked == PEER || this == PEER) {
      return asked == this || asked == ANYONE;
    }
    return compareTo(asked) >= 0;
  }

  static Role titled(String title) {
    return valueOf(title.toUpperCase(Locale.ROOT));
  }

  /** Returns the name in files and messages. */
  public String title() {
    return name().toLowerCase(Locale.ROOT);
  }
}
