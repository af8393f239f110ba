/** What does a server need of its process? Output that never waits, signals, alarms, an end. */
@NullMarked
package io.pensieve.server.process;

import org.jspecify.annotations.NullMarked;
