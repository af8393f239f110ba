package io.pensieve.server;

import java.io.IOException;
import java.util.concurrent.Callable;

/** Writes until the server is killed, and knows what must be there after that. */
interface KillClient extends Callable<Void> {
  /** Fails unless the server has what it must have. */
  void assertFoundAgain(int serverPort) throws IOException;
}
