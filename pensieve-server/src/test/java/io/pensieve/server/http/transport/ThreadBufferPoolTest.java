package io.pensieve.server.http.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class ThreadBufferPoolTest {
  private static final int BYTES = 64;
  private static final int THREADS = 4;
  private static final int ROUNDS = 2_000;

  private final ThreadBufferPool pool = new ThreadBufferPool(BYTES);

  @Test
  void aThreadTakesAgainWhatItGaveBackAndFindsItEmpty() {
    PooledByteBuffer first = pool.allocate();
    ByteBuffer buffer = first.getBuffer();
    buffer.put((byte) 1).flip();
    first.close();
    ByteBuffer again = pool.allocate().getBuffer();
    assertSame(buffer, again);
    assertEquals(0, again.position());
    assertEquals(BYTES, again.limit());
    assertTrue(again.isDirect());
  }

  @Test
  void whatIsGivenBackTwiceIsLentOnce() {
    PooledByteBuffer twice = pool.allocate();
    assertTrue(twice.isOpen());
    twice.close();
    twice.close();
    assertFalse(twice.isOpen());
    assertThrows(IllegalStateException.class, twice::getBuffer);
    assertNotSame(pool.allocate().getBuffer(), pool.allocate().getBuffer());
  }

  @Test
  void aThreadKeepsAFewAndTheOthersAreForAllThreads() throws Exception {
    List<PooledByteBuffer> many = new ArrayList<>();
    Set<ByteBuffer> known = identities();
    for (int i = 0; i < 2 * ThreadBufferPool.KEPT_PER_THREAD; i++) {
      many.add(pool.allocate());
      known.add(many.get(i).getBuffer());
    }
    many.forEach(PooledByteBuffer::close);
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      Set<ByteBuffer> found = other.submit(() -> take(3 * ThreadBufferPool.KEPT_PER_THREAD)).get();
      found.retainAll(known);
      assertEquals(ThreadBufferPool.KEPT_PER_THREAD, found.size());
    } finally {
      other.shutdownNow();
    }
  }

  private Set<ByteBuffer> take(int count) {
    Set<ByteBuffer> taken = identities();
    for (int i = 0; i < count; i++) {
      taken.add(pool.allocate().getBuffer());
    }
    return taken;
  }

  private static Set<ByteBuffer> identities() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  @Test
  void noBufferIsLentToTwoHoweverManyThreadsGiveItBack() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        PooledByteBuffer shared = pool.allocate();
        List<Future<?>> closing = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          closing.add(threads.submit(shared::close));
        }
        for (Future<?> each : closing) {
          each.get();
        }
      }
      // All that any of the threads keeps, taken at once by all of them.
      List<Future<Set<ByteBuffer>>> taking = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        taking.add(threads.submit(() -> take(2 * ThreadBufferPool.KEPT_PER_THREAD)));
      }
      Set<ByteBuffer> all = identities();
      for (Future<Set<ByteBuffer>> each : taking) {
        all.addAll(each.get());
      }
      assertEquals(THREADS * 2 * ThreadBufferPool.KEPT_PER_THREAD, all.size());
    } finally {
      threads.shutdownNow();
    }
  }
}
