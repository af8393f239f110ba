package io.pensieve.server.command;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.pensieve.server.client.PensieveClient;
import java.io.InputStream;
import java.io.PrintStream;
import picocli.CommandLine.ParseResult;

/**
 * What a command works with.
 *
 * @param terminal whether a person reads the output on a terminal
 */
record Session(
    PensieveClient client,
    ParseResult arguments,
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean terminal) {

  boolean has(String option) {
    return arguments.hasMatchedOption(option);
  }

  String text(String option) {
    return arguments.matchedOptionValue(option, "");
  }

  String positional(int index) {
    return arguments.matchedPositionalValue(index, "");
  }

  boolean isJson() {
    return has(Options.JSON);
  }

  /** Prints one line, which may contain keys and values of others. */
  void line(String text) {
    out.print(TerminalText.line(text) + "\n");
  }

  /** Prints JSON in one line. */
  void json(JsonElement json) {
    out.print(TerminalText.line(json.toString()) + "\n");
  }

  /** Prints an object with one field more. */
  void json(String name, Object value) {
    JsonObject object = new JsonObject();
    if (value instanceof Number number) {
      object.addProperty(name, number);
    } else {
      object.addProperty(name, String.valueOf(value));
    }
    json(object);
  }

  /** Whether nobody reads the output any more. */
  boolean isOutputBroken() {
    return out.checkError();
  }
}
