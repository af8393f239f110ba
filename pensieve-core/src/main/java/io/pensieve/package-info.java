/**
 * The public API: {@link io.pensieve.Pensieve} composes the bounded LRU table ({@code
 * io.pensieve.lru}) with the log ({@link io.pensieve.log}).
 */
@NullMarked
package io.pensieve;

import org.jspecify.annotations.NullMarked;
