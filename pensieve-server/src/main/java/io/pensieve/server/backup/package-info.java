/** The copy of a log as one file: a tar archive, and how it becomes a log again. */
@NullMarked
package io.pensieve.server.backup;

import org.jspecify.annotations.NullMarked;
