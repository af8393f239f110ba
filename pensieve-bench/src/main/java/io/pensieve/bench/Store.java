package io.pensieve.bench;

import java.io.IOException;

/** Something that keeps entries in a folder. Takes puts from many threads. */
interface Store extends AutoCloseable {

  /** Returns when the entry survives what the store was opened for. */
  void put(Long key, byte[] value) throws Exception;

  @Override
  void close() throws IOException;
}
