package io.pensieve.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the lock that guards a field or a method. For readers: no tool checks it. Error Prone's own
 * annotation, which it checks, stays in the class files, and compilers of embedders would warn that
 * they lack it.
 */
@Documented
@Retention(RetentionPolicy.SOURCE)
@Target({ElementType.FIELD, ElementType.METHOD})
public @interface GuardedBy {
  /** The expression whose monitor a thread must hold, such as {@code this}. */
  String value();
}
