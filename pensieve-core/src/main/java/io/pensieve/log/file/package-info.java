/**
 * What to remember: changes, as bytes in files; {@link io.pensieve.log.file.FileLog} is the door.
 * Knows no policy: which entry to forget is decided elsewhere and arrives here as a {@link
 * io.pensieve.log.Change.Remove}.
 */
@NullMarked
package io.pensieve.log.file;

import org.jspecify.annotations.NullMarked;
