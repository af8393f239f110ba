/** Which commands look at a log or a server, and change neither? */
@NullMarked
package io.pensieve.server.tools;

import org.jspecify.annotations.NullMarked;
