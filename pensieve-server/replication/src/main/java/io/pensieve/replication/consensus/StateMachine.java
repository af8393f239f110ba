package io.pensieve.replication.consensus;

import java.nio.file.Path;

/**
 * What the entries of a cluster are applied to. The engine calls these methods one at a time, in
 * the order of the log. They may take a while, and should not: nothing else is applied meanwhile.
 */
public interface StateMachine {

  /**
   * Applies a committed entry.
   *
   * @param position its place; the term is that in which the entry was proposed
   */
  void apply(LogPosition position, byte[] entry);

  /**
   * Whether a read can tell the state after this entry from the one before. If not, no read on a
   * follower waits for it. Called before {@link #apply}; the default is that it can.
   */
  default boolean isVisible(byte[] entry) {
    return true;
  }

  /**
   * This node leads from now on, and has applied everything that was committed before this term.
   */
  void lead(long term);

  /**
   * This node does not lead any more. What it proposed in that term may or may not be committed.
   */
  void follow();

  /**
   * Replaces the whole state by a saved one: at the start if there is one, and when this node is so
   * far behind that the leader sent it one.
   */
  void restore(LogPosition position, Path snapshot);

  /**
   * This member cannot go on, for example because its disk has failed. The process should end.
   * Called once at most, beside the other calls, in a thread that may close the engine.
   */
  void fail(Throwable cause);
}
