package io.pensieve.server.process;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/** Handles SIGHUP, which asks a server to reload its files. */
public final class HangupSignal {
  private HangupSignal() {}

  /**
   * From now on a SIGHUP runs this task, on a thread of its own, instead of ending the process.
   * Does nothing where the signal does not exist, or where it is ignored (nohup).
   */
  public static void runs(Runnable task) {
    /*
     * sun.misc.Signal is the only way in Java. The module jdk.unsupported exports it. The code uses
     * reflection because the compiler hides the class when it compiles for a fixed Java release.
     */
    InvocationHandler handler =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "handle" -> {
                task.run();
                yield null;
              }
              case "equals" -> arguments != null && proxy == arguments[0];
              case "hashCode" -> System.identityHashCode(proxy);
              default -> "SIGHUP";
            };
    try {
      Class<?> signals = Class.forName("sun.misc.Signal");
      Class<?> handlers = Class.forName("sun.misc.SignalHandler");
      Object signal = signals.getConstructor(String.class).newInstance("HUP");
      Object listener =
          Proxy.newProxyInstance(
              HangupSignal.class.getClassLoader(), new Class<?>[] {handlers}, handler);
      signals.getMethod("handle", signals, handlers).invoke(null, signal, listener);
    } catch (ReflectiveOperationException notHere) {
      // Windows does not have the signal, and an ignored signal cannot be handled: do nothing then.
    }
  }
}
