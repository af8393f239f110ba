package io.pensieve.examples;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads JSON as servers write it: objects, lists, texts, whole numbers and the three literals. */
final class Json {
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /**
   * Reads an object. Numbers are {@link Long}, lists are {@link List}.
   *
   * @throws IllegalArgumentException if the text is none, or has numbers that are not whole
   */
  static Map<String, @Nullable Object> object(String text) {
    try {
      return new Json(text).object();
    } catch (IndexOutOfBoundsException ends) {
      throw new IllegalArgumentException("JSON that is cut off: " + text, ends);
    }
  }

  private Map<String, @Nullable Object> object() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    expect('{');
    while (next() != '}') {
      String name = string();
      expect(':');
      members.put(name, value());
      skip(',');
    }
    expect('}');
    return members;
  }

  private List<@Nullable Object> list() {
    List<@Nullable Object> elements = new ArrayList<>();
    expect('[');
    while (next() != ']') {
      elements.add(value());
      skip(',');
    }
    expect(']');
    return elements;
  }

  private @Nullable Object value() {
    return switch (next()) {
      case '{' -> object();
      case '[' -> list();
      case '"' -> string();
      default -> literal();
    };
  }

  private @Nullable Object literal() {
    int begin = at;
    while (",]} \n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(begin, at);
    return switch (word) {
      case "null" -> null;
      case "true", "false" -> Boolean.valueOf(word);
      default -> Long.valueOf(word);
    };
  }

  private String string() {
    StringBuilder characters = new StringBuilder();
    expect('"');
    for (char c; (c = text.charAt(at++)) != '"'; ) {
      characters.append(c == '\\' ? escaped(text.charAt(at++)) : c);
    }
    return characters.toString();
  }

  private char escaped(char c) {
    return switch (c) {
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> (char) Integer.parseInt(text.substring(at, at += 4), 16);
      default -> c;
    };
  }

  private char next() {
    while (Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return text.charAt(at);
  }

  private void skip(char c) {
    if (next() == c) {
      at++;
    }
  }

  private void expect(char c) {
    if (next() != c) {
      throw new IllegalArgumentException("no " + c + " at " + at + " of JSON: " + text);
    }
    at++;
  }
}
