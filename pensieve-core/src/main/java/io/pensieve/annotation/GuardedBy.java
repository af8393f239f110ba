package io.pensieve.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the lock that guards a field or a method. Error Prone checks it, by this name. It is not
 * Error Prone's own annotation because that would stay in the class files, and compilers of
 * embedders would warn that they lack it.
 */
@Documented
@Retention(RetentionPolicy.SOURCE)
@Target({ElementType.FIELD, ElementType.METHOD})
public @interface GuardedBy {
  /** The expression whose monitor a thread must hold, such as {@code this}. */
  String value();
}
