/*
 * qbench NAME MILLISECONDS   measures one kernel and prints one line:
 *   result kernel=sieve rate=1234.5 unit=rounds/s rounds=812 us=657000 share=0.98 check=9f0c…
 * qbench list                prints the names
 * qbench nothing             ends at once (what fork+exec starts)
 *
 * `share` is the part of the time this process had a core while it wanted one, as its operating system says.
 *
 * First a fixed number of rounds whose checksum is printed: equal on all machines. Then rounds without measuring, so
 * that translators have seen the code, then rounds for about the time given.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qbench.h"

static uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static const struct kernel *const groups[] = {compute_kernels, system_kernels, cold_kernels};
#define GROUPS (sizeof groups / sizeof *groups)

/* Doubles the batch until one takes a tenth of the time; these are the rounds nobody measures. */
static uint64_t warm_up(const struct kernel *kernel, uint64_t target_us) {
  uint64_t batch = 1;
  uint64_t start = now_us();
  for (;;) {
    uint64_t before = now_us();
    opaque(kernel->run(batch));
    uint64_t now = now_us();
    if (now - start >= target_us / 2 && now - before >= target_us / 20) return batch;
    if (now - before < target_us / 10) batch *= 2;
  }
}

/* proc_pid_schedstat: ns on a core, ns ready to run without one. Zeros where the kernel does not count. */
struct times {
  double ran, waited;
};

static struct times thread_times(void) {
  struct times times = {0, 0};
  FILE *file = fopen("/proc/self/schedstat", "r");
  if (file == NULL) return times;
  if (fscanf(file, "%lf %lf", &times.ran, &times.waited) != 2) times.ran = times.waited = 0;
  fclose(file);
  return times;
}

static void measure(const struct kernel *kernel, uint64_t target_us) {
  uint64_t check = kernel->run(3);
  uint64_t batch = warm_up(kernel, target_us);
  struct times before = thread_times();
  uint64_t rounds = 0, start = now_us(), us;
  do {
    opaque(kernel->run(batch));
    rounds += batch;
    us = now_us() - start;
  } while (us < target_us);
  struct times after = thread_times();
  double ran = after.ran - before.ran, wanted = ran + after.waited - before.waited;
  printf("result kernel=%s rate=%.6g unit=%s rounds=%" PRIu64 " us=%" PRIu64 " share=%.3f check=%016" PRIx64 "\n",
         kernel->name, rounds * kernel->units_per_round * 1e6 / us, kernel->unit, rounds, us,
         wanted > 0 ? ran / wanted : 1.0, check);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "nothing") == 0) return 0;
  int list = argc == 2 && strcmp(argv[1], "list") == 0;
  for (size_t group = 0; group < GROUPS; group++) {
    for (const struct kernel *kernel = groups[group]; kernel->name != NULL; kernel++) {
      if (list) puts(kernel->name);
      if (argc == 3 && strcmp(argv[1], kernel->name) == 0) {
        measure(kernel, strtoull(argv[2], NULL, 10) * 1000);
        return 0;
      }
    }
  }
  if (list) return 0;
  fprintf(stderr, "usage: qbench NAME MILLISECONDS, or qbench list\n");
  return 2;
}
