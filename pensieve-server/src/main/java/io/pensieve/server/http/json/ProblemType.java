package io.pensieve.server.http.json;

import io.undertow.util.StatusCodes;
import java.util.Locale;

/** All reasons for rejecting a request. The codes are part of the API. */
public enum ProblemType {
  MALFORMED_REQUEST(StatusCodes.BAD_REQUEST),
  MALFORMED_PATH(StatusCodes.BAD_REQUEST),
  MALFORMED_JSON(StatusCodes.BAD_REQUEST),
  INVALID_QUERY(StatusCodes.BAD_REQUEST),
  MALFORMED_CONDITION(StatusCodes.BAD_REQUEST),
  PARTIAL_PUT(StatusCodes.BAD_REQUEST),
  MALFORMED_IDEMPOTENCY_KEY(StatusCodes.BAD_REQUEST),
  UNAUTHORIZED(StatusCodes.UNAUTHORIZED),
  FORBIDDEN(StatusCodes.FORBIDDEN),
  FOREIGN_ORIGIN(StatusCodes.FORBIDDEN),
  NO_SUCH_ROUTE(StatusCodes.NOT_FOUND),
  NO_SUCH_KEY(StatusCodes.NOT_FOUND),
  NOT_REPLICATING(StatusCodes.NOT_FOUND),
  NO_LOG(StatusCodes.NOT_FOUND),
  METHOD_NOT_ALLOWED(StatusCodes.METHOD_NOT_ALLOWED),
  NOT_AN_INTEGER(StatusCodes.CONFLICT),
  NOT_TEXT(StatusCodes.CONFLICT),
  CLUSTER_CHANGE_REFUSED(StatusCodes.CONFLICT),
  HISTORY_FORGOTTEN(StatusCodes.GONE),
  PRECONDITION_FAILED(StatusCodes.PRECONDITION_FAILED),
  BODY_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE),
  BATCH_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE),
  KEY_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE),
  VALUE_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE),
  ENTRY_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE),
  MISDIRECTED_REQUEST(421),
  UNSUPPORTED_MEDIA_TYPE(StatusCodes.UNSUPPORTED_MEDIA_TYPE),
  INVALID_BODY(StatusCodes.UNPROCESSABLE_ENTITY),
  EMPTY_KEY(StatusCodes.UNPROCESSABLE_ENTITY),
  DURABILITY_NOT_PROMISED(StatusCodes.UNPROCESSABLE_ENTITY),
  IDEMPOTENCY_NOT_PROMISED(StatusCodes.UNPROCESSABLE_ENTITY),
  HEADER_TOO_LARGE(StatusCodes.REQUEST_HEADER_FIELDS_TOO_LARGE),
  INTERNAL_ERROR(StatusCodes.INTERNAL_SERVER_ERROR),
  UNSUPPORTED_TRANSFER_ENCODING(StatusCodes.NOT_IMPLEMENTED),
  TOO_MANY_REQUESTS(StatusCodes.SERVICE_UNAVAILABLE),
  NOT_READY(StatusCodes.SERVICE_UNAVAILABLE),
  TOO_MANY_POLLS(StatusCodes.SERVICE_UNAVAILABLE),
  TOO_MANY_WATCHERS(StatusCodes.SERVICE_UNAVAILABLE),
  TOO_MANY_BACKUPS(StatusCodes.SERVICE_UNAVAILABLE),
  BACKUP_FAILED(StatusCodes.SERVICE_UNAVAILABLE),
  LOG_FULL(StatusCodes.SERVICE_UNAVAILABLE),
  LOG_FAILED(StatusCodes.SERVICE_UNAVAILABLE),
  NO_LEADER(StatusCodes.SERVICE_UNAVAILABLE),
  OUTCOME_UNKNOWN(StatusCodes.SERVICE_UNAVAILABLE),
  OVERLOADED(StatusCodes.SERVICE_UNAVAILABLE),
  UNSUPPORTED_HTTP_VERSION(StatusCodes.HTTP_VERSION_NOT_SUPPORTED);

  private final int status;

  ProblemType(int status) {
    this.status = status;
  }

  public int status() {
    return status;
  }

  /** Returns whether the same request may succeed soon. */
  public boolean isTransient() {
    return switch (this) {
      case LOG_FULL,
          NO_LEADER,
          OVERLOADED,
          TOO_MANY_REQUESTS,
          TOO_MANY_POLLS,
          TOO_MANY_WATCHERS,
          TOO_MANY_BACKUPS ->
          true;
      default -> false;
    };
  }

  /** Returns the stable name that clients may compare. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  public ProblemException withDetail(String detail) {
    return new ProblemException(this, detail);
  }
}
