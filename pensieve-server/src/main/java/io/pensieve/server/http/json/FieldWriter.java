package io.pensieve.server.http.json;

import java.io.IOException;

/** Writes the fields of a JSON object. */
public interface FieldWriter {
  void write(LazyJsonWriter json) throws IOException;
}
