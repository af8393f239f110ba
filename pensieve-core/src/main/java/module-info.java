/**
 * A durable LRU map: {@link io.pensieve.Pensieve} and the {@link io.pensieve.log.Log} behind it.
 *
 * <p>No runtime dependency. JSpecify's annotations are needed to compile only.
 */
module io.pensieve {
  requires static org.jspecify;

  exports io.pensieve;
  exports io.pensieve.log;
  exports io.pensieve.log.file;
}
