package io.pensieve.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the lock that guards a field or a method. {@code .ci/run} has Error Prone check it, with
 * its own annotation in place of this one: that stays in the class files, and compilers of
 * embedders would warn that they lack it.
 */
@Documented
@Retention(RetentionPolicy.SOURCE)
@Target({ElementType.FIELD, ElementType.METHOD})
public @interface GuardedBy {
  /** The expression whose monitor a thread must hold, such as {@code this}. */
  String value();
}
