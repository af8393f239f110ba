/** Annotations that only the build of this library reads. Not exported. */
@NullMarked
package io.pensieve.annotation;

import org.jspecify.annotations.NullMarked;
