/* Kernels of the benchmark: the same C for the host, for riscv64 and for i386. */
#ifndef QBENCH_H
#define QBENCH_H
#include <stdint.h>

/* One measurable piece of work. `run` does `rounds` of it and returns a checksum that depends on all of them. */
struct kernel {
  const char *name;
  const char *unit;       /* of the rate */
  double units_per_round; /* how many of `unit`s (per second) one round is */
  uint64_t (*run)(uint64_t rounds);
};

extern const struct kernel compute_kernels[], system_kernels[], cold_kernels[];

/* Keeps the compiler from moving or dropping work. */
static inline uint64_t opaque(uint64_t value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}
#endif
