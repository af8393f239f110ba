package io.pensieve.server.process;

import java.security.Security;

/**
 * Sets how long this JVM caches host name lookups. Its defaults are 30 s for an address and 10 s
 * for a missing name. But a restarted peer container has a new address, and its name has none while
 * it is gone.
 */
public final class DnsCaching {
  private static final String SECONDS = "1";

  private DnsCaching() {}

  /** Call this before the first lookup, which reads the setting once. An existing setting stays. */
  public static void keepBriefly() {
    set("networkaddress.cache.ttl", "sun.net.inetaddr.ttl");
    set("networkaddress.cache.negative.ttl", "sun.net.inetaddr.negative.ttl");
  }

  // The security property overrides the system property, which users set on the command line.
  private static void set(String property, String systemProperty) {
    String given = System.getProperty(systemProperty);
    Security.setProperty(property, given == null ? SECONDS : given);
  }
}
