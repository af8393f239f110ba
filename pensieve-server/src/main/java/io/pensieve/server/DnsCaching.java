package io.pensieve.server;

import java.security.Security;

/**
 * How long this JVM believes what it has once looked up. By itself it keeps the address of a name
 * for 30 s, and that there is none for 10 s; a peer's container that comes back has another
 * address, and while it was gone its name had none.
 */
final class DnsCaching {
  private static final String SECONDS = "1";

  private DnsCaching() {}

  /** To be called before the first look-up, which reads this once. What is set already stays. */
  static void keepBriefly() {
    set("networkaddress.cache.ttl", "sun.net.inetaddr.ttl");
    set("networkaddress.cache.negative.ttl", "sun.net.inetaddr.negative.ttl");
  }

  // The security property comes before the system property, which people set on the command line.
  private static void set(String property, String systemProperty) {
    String given = System.getProperty(systemProperty);
    Security.setProperty(property, given == null ? SECONDS : given);
  }
}
