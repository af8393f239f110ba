/**
 * What can a person type? The commands that talk to a running server. They load none of the
 * server's classes, so they start fast.
 */
@NullMarked
package io.pensieve.server.command;

import org.jspecify.annotations.NullMarked;
