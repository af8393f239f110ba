/**
 * What does a person see at this server? The files of the page, and who is sent to it; sees
 * requests, responses and problems, but neither the map nor its routes.
 */
@NullMarked
package io.pensieve.server.http.ui;

import org.jspecify.annotations.NullMarked;
