/*
 * Wide, cold code: 2,048 functions, each another one, copied to fresh pages before each round, so that a machine that
 * translates has never seen them. Each is called eight times, in scattered order.
 *
 * The functions have no data, no calls and no addresses in them, so they run wherever they lie.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "qbench.h"

#define COLD __attribute__((section("cold_code"), noinline, noclone, aligned(4)))

#define FUNCTION(n)                                                            \
  COLD static uint32_t f##n(uint32_t x, uint32_t y) {                          \
    x += y ^ (n * 5 + 3);                                                      \
    if (x & (1u << (n % 31))) y += x >> (n % 13 + 1);                          \
    else y ^= x << (n % 11 + 1);                                               \
    for (uint32_t i = 0; i < n % 4 + 1; i++) x = (x ^ y) + (y >> 3) + i;       \
    if (y > x) x -= (n & 1023) + 7;                                            \
    else x = (x << 5 | x >> 27) ^ (n & 511);                                   \
    return x + y;                                                              \
  }
/* The body sees `n` as an octal number, 0o0000 to 0o3777: the same digits serve for its name. */
#define F8(n) FUNCTION(n##0) FUNCTION(n##1) FUNCTION(n##2) FUNCTION(n##3) \
              FUNCTION(n##4) FUNCTION(n##5) FUNCTION(n##6) FUNCTION(n##7)
#define F64(n) F8(n##0) F8(n##1) F8(n##2) F8(n##3) F8(n##4) F8(n##5) F8(n##6) F8(n##7)
#define F512(n) F64(n##0) F64(n##1) F64(n##2) F64(n##3) F64(n##4) F64(n##5) F64(n##6) F64(n##7)
F512(00) F512(01) F512(02) F512(03)

typedef uint32_t function(uint32_t, uint32_t);
#define T8(n) f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7,
#define T64(n) T8(n##0) T8(n##1) T8(n##2) T8(n##3) T8(n##4) T8(n##5) T8(n##6) T8(n##7)
#define T512(n) T64(n##0) T64(n##1) T64(n##2) T64(n##3) T64(n##4) T64(n##5) T64(n##6) T64(n##7)
static function *const functions[] = {T512(00) T512(01) T512(02) T512(03)};
#define COUNT (sizeof functions / sizeof *functions)

/* Given by the linker: the section's ends. */
extern char __start_cold_code[], __stop_cold_code[];

static uint64_t cold(uint64_t rounds) {
  enum { CALLS = 8 };
  size_t size = (size_t)(__stop_cold_code - __start_cold_code);
  uint32_t sum = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) abort();
    memcpy(copy, __start_cold_code, size);
    __builtin___clear_cache(copy, copy + size);
    for (uint32_t call = 0; call < COUNT * CALLS; call++) {
      /* 1,741 and 2,048 have no common divisor: every function comes in turn. */
      char *place = (char *)functions[call * 1741 % COUNT];
      sum = ((function *)(copy + (place - __start_cold_code)))(sum, call);
    }
    munmap(copy, size);
  }
  return sum;
}

const struct kernel cold_kernels[] = {{"cold", "kcalls/s", 16.384, cold}, {0}};
