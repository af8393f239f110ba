/**
 * How does a program talk to a server? One HTTP client for all commands; knows the API, and none of
 * the server's classes.
 */
@NullMarked
package io.pensieve.server.client;

import org.jspecify.annotations.NullMarked;
