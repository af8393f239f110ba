package io.pensieve.log;

/**
 * When a change counts as acknowledged, named for what it then survives. For a map that need not
 * survive anything there is {@link Log#none()}.
 */
public enum Durability {
  /**
   * Acknowledged at memory speed; survives {@code kill -9}, the OOM killer and {@link
   * Runtime#halt}. A power cut or a kernel crash loses at most the changes of the last 100 ms, and
   * never one before another that it keeps.
   */
  PROCESS_DEATH,

  /**
   * Acknowledged when the disk has confirmed it; survives a power cut too. Writers that wait at the
   * same time share one force (group commit).
   */
  POWER_CUT
}
