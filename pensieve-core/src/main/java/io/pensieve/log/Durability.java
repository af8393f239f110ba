package io.pensieve.log;

/**
 * When a change counts as acknowledged, named for what it then survives. A map that need not
 * survive anything uses {@link Log#none()}.
 */
public enum Durability {
  /**
   * Acknowledged at memory speed. Survives {@code kill -9}, the OOM killer and {@link
   * Runtime#halt}. A power cut or a kernel crash loses the changes of the last 100 ms or so. If it
   * loses a change, it also loses every later one.
   */
  PROCESS_DEATH,

  /**
   * Acknowledged once the disk has confirmed it. Also survives a power cut. Writers that wait at
   * the same time share one force (group commit).
   */
  POWER_CUT
}
