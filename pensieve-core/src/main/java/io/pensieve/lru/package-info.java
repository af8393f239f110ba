/**
 * A bounded hash table with LRU eviction and expiry. It works in memory only, knows neither bytes
 * nor files, and is not exported.
 */
@NullMarked
package io.pensieve.lru;

import org.jspecify.annotations.NullMarked;
