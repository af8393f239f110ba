package io.pensieve.server.http;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;

/**
 * The memory of the values that one response with several entries returns. A short request may read
 * one key a thousand times, and so ask for more memory than there is.
 */
final class ValueBudget {
  private final MemoryBudget.Reservation reservation;
  private final long bytesMax;
  private long bytes;

  ValueBudget(HttpServerExchange exchange, long bytesMax) {
    this.reservation = MemoryBudget.OF_PROCESS.reservationFor(exchange);
    this.bytesMax = bytesMax;
  }

  /**
   * Claims the memory for one more value.
   *
   * @throws ProblemException if the response or the process has no room for it; nothing is claimed
   *     then
   */
  void claim(StoredValue value) {
    long more = bytes + value.size();
    if (more > bytesMax) {
      throw ProblemType.BATCH_TOO_LARGE.withDetail("the gets before tell as much as a batch may");
    }
    if (more > MemoryBudget.SMALL_BYTES_MAX) {
      reservation.growTo(more);
    }
    bytes = more;
  }
}
