/** What members call each other by: the gRPC of Apache Ratis, and what stands between it and us. */
@NullMarked
package io.pensieve.replication.grpc;

import org.jspecify.annotations.NullMarked;
