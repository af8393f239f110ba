/**
 * What the tests of all modules share: seeds, depths and ports. A jar of its own, of the type
 * {@code test-jar}, which nothing but tests depends on.
 */
package io.pensieve.testing;
