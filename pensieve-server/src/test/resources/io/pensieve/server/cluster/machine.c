/*
 * Loaded into a node's process before the C library: its machine's clock may be wrong, and its
 * disk slow. What it does is in the file that TEST_MACHINE names: two numbers of 64 bits,
 * the milliseconds by which the time of day is off, and those that a force takes longer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *machine;

__attribute__((constructor)) static void open_machine(void) {
  const char *path = getenv("TEST_MACHINE");
  int file = path == NULL ? -1 : open(path, O_RDONLY);
  if (file >= 0) {
    void *mapped = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    machine = mapped == MAP_FAILED ? NULL : mapped;
    close(file);
  }
}

static int64_t clock_millis(void) { return machine == NULL ? 0 : machine[0]; }

static void delay_force(void) {
  int64_t millis = machine == NULL ? 0 : machine[1];
  if (millis > 0) {
    struct timespec delay = {millis / 1000, millis % 1000 * 1000000};
    nanosleep(&delay, NULL);
  }
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  }
  int result = real(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) {
    int64_t nanos = time->tv_nsec + clock_millis() % 1000 * 1000000;
    int64_t carry = nanos < 0 ? -1 : nanos / 1000000000;
    time->tv_sec += clock_millis() / 1000 + carry;
    time->tv_nsec = nanos - carry * 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}

int fsync(int file) {
  static int (*real)(int);
  if (real == NULL) {
    real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  }
  delay_force();
  return real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (real == NULL) {
    real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  }
  delay_force();
  return real(file);
}
