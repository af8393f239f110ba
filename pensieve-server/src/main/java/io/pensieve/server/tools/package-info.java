/** Which commands look at a log or a server, or restore a backup? */
@NullMarked
package io.pensieve.server.tools;

import org.jspecify.annotations.NullMarked;
