/**
 * Decides what to remember: changes, as bytes in files. {@link io.pensieve.log.file.FileLog} is the
 * entry point. The package has no eviction policy: another package decides which entry to forget,
 * and sends a {@link io.pensieve.log.Change.Remove}.
 */
@NullMarked
package io.pensieve.log.file;

import org.jspecify.annotations.NullMarked;
