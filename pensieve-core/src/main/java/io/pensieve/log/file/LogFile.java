package io.pensieve.log.file;

import java.nio.file.Path;

/** A file in a log's folder. */
public record LogFile(Path path, LogFile.Kind kind) {
  /** What a file in the folder means to the log. */
  public enum Kind {
    /** Changes. */
    SEGMENT,
    /** The entries that resulted from older changes. */
    BASE,
    /** Changes that were acknowledged and not yet written to a segment. */
    RING,
    /** Replaced by a base; the next opening deletes it. */
    STALE,
    /** A torn tail that an opening cut off and kept. */
    TORN_END,
    /** Incomplete when a process died; the next opening deletes it. */
    TEMPORARY,
    /** A file of which only the name matters: the lock, or the mark of an unfinished copy. */
    MARK,
    /** Not a file of a log. */
    OTHER
  }
}
