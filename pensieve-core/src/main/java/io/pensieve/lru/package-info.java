/**
 * What to forget: a bounded table in exact LRU order. Memory only: knows no bytes and no files, and
 * is not exported.
 */
@NullMarked
package io.pensieve.lru;

import org.jspecify.annotations.NullMarked;
