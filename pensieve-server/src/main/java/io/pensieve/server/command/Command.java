package io.pensieve.server.command;

import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;

/** A command that talks to a running server. */
interface Command {
  String name();

  /** Returns its options and arguments, besides those that find the server. */
  CommandSpec spec();

  /** Runs it, and returns the exit code. */
  int run(Session session) throws IOException, InterruptedException;
}
