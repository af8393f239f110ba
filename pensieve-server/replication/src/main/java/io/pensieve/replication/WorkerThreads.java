package io.pensieve.replication;

import java.util.Collection;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a log: the packer, a timer, one for snapshots, and those that complete futures.
 */
final class WorkerThreads implements Workers {
  private static final long TICK_MILLIS = 50; // how long a blocked completion may hold up others

  private final CompletionThreads completions = new CompletionThreads("pensieve-raft-completions");
  private final ScheduledExecutorService timer = timer();
  private final ExecutorService longTasks = longTasks();

  // Neither has a thread before its first task.
  private static ScheduledExecutorService timer() {
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(1, task -> daemon(task, "pensieve-raft-timer"));
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    executor.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
    return executor;
  }

  private static ExecutorService longTasks() {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> daemon(task, "pensieve-raft-snapshot"));
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public void begin(Packer<?, ?> packer, Runnable tick) {
    daemon(packer, "pensieve-raft-packer").start();
    Future<?> unused =
        timer.scheduleWithFixedDelay(
            () -> {
              completions.ensureProgress();
              tick.run();
            },
            TICK_MILLIS,
            TICK_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  @Override
  public void complete(Collection<? extends Runnable> tasks) {
    completions.add(tasks);
  }

  @Override
  public void executeLong(Runnable task) {
    try {
      longTasks.execute(task);
    } catch (RejectedExecutionException closing) {
      // The log of the engine has everything.
    }
  }

  @Override
  public void endSoon() {
    timer.shutdownNow();
    longTasks.shutdownNow();
  }

  @Override
  public void end() {
    endSoon();
    completions.end();
  }
}
