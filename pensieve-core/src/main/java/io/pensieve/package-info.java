/**
 * The door: {@link io.pensieve.Pensieve} composes what to forget ({@code io.pensieve.lru}) with
 * what to remember ({@link io.pensieve.log}).
 */
@NullMarked
package io.pensieve;

import org.jspecify.annotations.NullMarked;
