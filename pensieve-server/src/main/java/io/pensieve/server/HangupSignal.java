package io.pensieve.server;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/** Hears a SIGHUP, by which people ask a server to read its files again. */
final class HangupSignal {
  private HangupSignal() {}

  /**
   * From now on a SIGHUP runs this, on a thread of its own, and does not end the process, as it
   * would by itself. Does nothing where there is no such signal, or where it is ignored (nohup).
   */
  static void runs(Runnable task) {
    /*
     * sun.misc.Signal is the only way in Java. The module jdk.unsupported exports it to everyone; it
     * is called by name because the compiler, told to keep to one release of Java, does not see it.
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
      // Windows has no such signal, and one that is ignored cannot be heard: then nothing happens.
    }
  }
}
