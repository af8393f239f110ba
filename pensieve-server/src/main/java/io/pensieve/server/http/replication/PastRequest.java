package io.pensieve.server.http.replication;

import io.pensieve.server.http.value.StoredValue;
import java.util.Optional;

/**
 * What a request with an {@code Idempotency-Key} has changed, when it was executed.
 *
 * @param version the version of its last change
 * @param isNew whether the key of that had no entry before
 * @param value the value that it put, if that is short
 */
public record PastRequest(long version, boolean isNew, Optional<StoredValue> value) {}
