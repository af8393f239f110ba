package io.pensieve.server.linearizability;

import static io.pensieve.server.linearizability.Request.ABSENT;
import static io.pensieve.server.linearizability.Request.ANY_VERSION;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;

/**
 * Makes histories of a key that were possible: each operation takes effect at a moment between its
 * invocation and its completion, on one map and in the order of these moments.
 */
final class ModelHistory {
  private static final long STEP = 1_000;

  private final Random random;
  private final int clients;
  private final boolean hasCounters;
  private String value = "";
  private long version;
  private long lastVersion;
  private long expiresAt = Long.MAX_VALUE;

  private record Plan(
      String client, Request request, long invoked, long effect, long completed, boolean isTold) {}

  /**
   * @param hasCounters whether values are numbers that increments add to; otherwise each value is
   *     put once
   */
  ModelHistory(Random random, int clients, boolean hasCounters) {
    this.random = random;
    this.clients = clients;
    this.hasCounters = hasCounters;
  }

  List<Operation> make(int operations, double unknownRatio) {
    List<Plan> plans = plans(operations, unknownRatio);
    plans.sort(Comparator.comparingLong(Plan::effect));
    List<Operation> history = new ArrayList<>();
    for (Plan plan : plans) {
      boolean isDone = plan.isTold() || plan.effect() != Operation.NEVER;
      Request request = isDone ? withVersion(plan.request()) : plan.request();
      Answer answer = isDone ? execute(request, plan.effect()) : new Answer.Unknown();
      history.add(
          new Operation(
              plan.client(),
              request,
              plan.isTold() ? answer : new Answer.Unknown(),
              plan.invoked(),
              plan.completed()));
    }
    return history;
  }

  private List<Plan> plans(int operations, double unknownRatio) {
    List<Plan> plans = new ArrayList<>();
    long[] free = new long[clients];
    for (int i = 0; i < operations; i++) {
      int client = random.nextInt(clients);
      long invoked = free[client] + 1 + random.nextLong(STEP);
      boolean isTold = random.nextDouble() >= unknownRatio;
      long effect = invoked + random.nextLong(STEP);
      if (!isTold) {
        effect = random.nextBoolean() ? Operation.NEVER : invoked + random.nextLong(9 * STEP);
      }
      long completed = isTold ? effect + random.nextLong(STEP) : Operation.NEVER;
      free[client] = isTold ? completed : invoked + STEP;
      plans.add(new Plan("client " + client, request(i), invoked, effect, completed, isTold));
    }
    return plans;
  }

  private Request request(int number) {
    String next = hasCounters ? Integer.toString(random.nextInt(3)) : "v" + number;
    long ttl = random.nextInt(3) == 0 ? STEP * (1 + 2L * random.nextInt(2)) : 0;
    return switch (random.nextInt(hasCounters ? 9 : 7)) {
      case 0, 1 -> new Request.Get();
      case 2 -> new Request.Put(next, ANY_VERSION, ttl);
      case 3 -> new Request.Put(next, ABSENT, ttl);
      case 4 -> new Request.Put(next, 1, ttl);
      case 5 -> new Request.Delete(random.nextBoolean() ? ANY_VERSION : 1);
      case 6 -> new Request.Check(1);
      default -> new Request.Increment(1 + random.nextInt(2));
    };
  }

  /** A condition that asks for a version mostly asks for the right one. */
  private Request withVersion(Request request) {
    long asked = random.nextInt(4) == 0 || version == 0 ? lastVersion + 1 : version;
    if (request instanceof Request.Put put && put.condition() > 0) {
      return new Request.Put(put.value(), asked, put.ttlNanos());
    }
    if (request instanceof Request.Delete delete && delete.condition() > 0) {
      return new Request.Delete(asked);
    }
    return request instanceof Request.Check ? new Request.Check(asked) : request;
  }

  private Answer execute(Request request, long now) {
    if (now >= expiresAt) {
      remove();
    }
    if (request instanceof Request.Get) {
      return version == 0 ? new Answer.Missing() : new Answer.Found(value, version);
    }
    if (request instanceof Request.Check check) {
      return check.version() == version ? new Answer.Holds() : new Answer.ConditionFailed(version);
    }
    if (request instanceof Request.Put put) {
      return executePut(put, now);
    }
    if (request instanceof Request.Delete delete) {
      if (delete.condition() != ANY_VERSION && delete.condition() != version) {
        return new Answer.ConditionFailed(version);
      }
      remove();
      return new Answer.Removed();
    }
    return executeIncrement((Request.Increment) request);
  }

  private Answer executePut(Request.Put put, long now) {
    if (put.condition() != ANY_VERSION && put.condition() != version) {
      return new Answer.ConditionFailed(version);
    }
    boolean isNew = version == 0;
    store(put.value());
    expiresAt = put.ttlNanos() == 0 ? Long.MAX_VALUE : now + put.ttlNanos();
    return new Answer.Written(version, isNew);
  }

  private Answer executeIncrement(Request.Increment increment) {
    OptionalLong before =
        version == 0
            ? OptionalLong.of(0)
            : value.matches("-?\\d+")
                ? OptionalLong.of(Long.parseLong(value))
                : OptionalLong.empty();
    if (before.isEmpty()) {
      return new Answer.NotANumber();
    }
    long sum = before.getAsLong() + increment.by();
    store(Long.toString(sum));
    return new Answer.Sum(sum, version);
  }

  private void store(String next) {
    lastVersion += 1 + random.nextInt(3);
    version = lastVersion;
    value = next;
  }

  private void remove() {
    lastVersion += random.nextInt(2);
    version = 0;
    value = "";
    expiresAt = Long.MAX_VALUE;
  }
}
