package io.pensieve.server.command;

/**
 * Shows texts of others on a terminal. Control characters could move the cursor, change the title
 * or type commands; they are shown as escapes instead. So are characters that reorder a line.
 */
final class TerminalText {
  private TerminalText() {}

  /** Returns a text in one line: line breaks and tabs are escaped, too. */
  static String line(String text) {
    return escaped(text, false);
  }

  /** Returns a text with its line breaks and tabs. */
  static String block(String text) {
    return escaped(text, true);
  }

  private static String escaped(String text, boolean keepsBreaks) {
    if (text.codePoints().noneMatch(TerminalText::isUnsafe)) {
      return text;
    }
    StringBuilder shown = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              if (!isUnsafe(c) || (keepsBreaks && (c == '\n' || c == '\t'))) {
                shown.appendCodePoint(c);
              } else if (Character.isBmpCodePoint(c)) {
                shown.append(String.format("\\u%04x", c));
              } else {
                shown.append(
                    String.format(
                        "\\u%04x\\u%04x",
                        (int) Character.highSurrogate(c), (int) Character.lowSurrogate(c)));
              }
            });
    return shown.toString();
  }

  private static boolean isUnsafe(int c) {
    if (c >= ' ' && c < 0x7f) {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.UNASSIGNED ->
          true;
      default -> false;
    };
  }
}
