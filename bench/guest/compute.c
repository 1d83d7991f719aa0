/* Kernels that stay in user mode: integers, memory, floating point. All numbers are of fixed width. */
#include <stdlib.h>
#include <string.h>

#include "qbench.h"

/* --- A mixture after the model of CoreMark: lists, a matrix, a state machine, a CRC over the answers. --- */

static uint16_t crc16(uint16_t crc, uint16_t data) {
  for (int i = 0; i < 16; i++) {
    int carry = (data ^ crc) & 1;
    data >>= 1;
    crc >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

struct item {
  struct item *next;
  int16_t key;
  int16_t index;
};

#define ITEMS 64
static struct item items[ITEMS];

static struct item *make_list(uint32_t seed) {
  for (int i = 0; i < ITEMS; i++) {
    seed = seed * 1103515245 + 12345;
    items[i].key = (int16_t)(seed >> 16);
    items[i].index = (int16_t)i;
    items[i].next = i + 1 < ITEMS ? &items[i + 1] : NULL;
  }
  return &items[0];
}

static int by_key(const struct item *a, const struct item *b) { return a->key - b->key; }
static int by_index(const struct item *a, const struct item *b) { return a->index - b->index; }

static struct item *merge(struct item *a, struct item *b, int (*compare)(const struct item *, const struct item *)) {
  struct item head, *tail = &head;
  while (a != NULL && b != NULL) {
    struct item **least = compare(a, b) <= 0 ? &a : &b;
    tail->next = *least;
    tail = *least;
    *least = (*least)->next;
  }
  tail->next = a != NULL ? a : b;
  return head.next;
}

static struct item *sort(struct item *list, int (*compare)(const struct item *, const struct item *)) {
  if (list == NULL || list->next == NULL) return list;
  struct item *slow = list;
  for (struct item *fast = list->next; fast != NULL && fast->next != NULL; fast = fast->next->next) slow = slow->next;
  struct item *second = slow->next;
  slow->next = NULL;
  return merge(sort(list, compare), sort(second, compare), compare);
}

static struct item *reverse(struct item *list) {
  struct item *result = NULL;
  while (list != NULL) {
    struct item *next = list->next;
    list->next = result;
    result = list;
    list = next;
  }
  return result;
}

static uint16_t list_work(uint32_t seed) {
  struct item *list = sort(make_list(seed), by_key);
  uint16_t crc = 0;
  for (int wanted = 0; wanted < 16; wanted++) {
    const struct item *found = list;
    while (found != NULL && (found->key & 15) != wanted) found = found->next;
    crc = crc16(crc, found == NULL ? 0xffff : (uint16_t)found->index);
    list = reverse(list);
  }
  list = sort(list, by_index);
  for (const struct item *item = list; item != NULL; item = item->next) crc = crc16(crc, (uint16_t)item->key);
  return crc;
}

#define SIDE 12

static uint16_t matrix_work(uint32_t seed) {
  static int16_t a[SIDE][SIDE], b[SIDE][SIDE];
  static int32_t c[SIDE][SIDE];
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      seed = seed * 69069 + 1;
      a[i][j] = (int16_t)(seed >> 20);
      b[i][j] = (int16_t)(seed >> 12 & 0x3ff);
    }
  }
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      int32_t sum = 0;
      for (int k = 0; k < SIDE; k++) sum += (int32_t)a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  }
  uint16_t crc = 0;
  for (int i = 0; i < SIDE; i++) {
    int32_t row = 0;
    for (int j = 0; j < SIDE; j++) row += c[i][j] >> 3 & 0xff;
    crc = crc16(crc, (uint16_t)row);
  }
  return crc;
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, POWER, INVALID, STATES };

static enum state step(enum state state, char c) {
  int digit = c >= '0' && c <= '9';
  switch (state) {
    case START:
      if (digit) return INTEGER;
      if (c == '+' || c == '-') return SIGN;
      return c == '.' ? POINT : INVALID;
    case SIGN:
      if (digit) return INTEGER;
      return c == '.' ? POINT : INVALID;
    case INTEGER:
      if (digit) return INTEGER;
      if (c == '.') return FRACTION;
      return c == 'e' ? EXPONENT : INVALID;
    case POINT:
    case FRACTION:
      if (digit) return FRACTION;
      return c == 'e' ? EXPONENT : INVALID;
    case EXPONENT:
      if (digit) return POWER;
      return c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case POWER:
      return digit ? POWER : INVALID;
    default:
      return INVALID;
  }
}

static uint16_t state_work(uint32_t seed) {
  static const char *const words[] = {"5012",   "1234.500", "-110.700",  "+0.64400", "5.500e+3", "-.123e-2",
                                      "-87e+832", "+0.6e-12", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^"};
  uint16_t counts[STATES] = {0};
  for (int i = 0; i < 48; i++) {
    seed = seed * 1664525 + 1013904223;
    enum state state = START;
    for (const char *c = words[(seed >> 16) % 12]; *c != 0 && state != INVALID; c++) state = step(state, *c);
    counts[state]++;
  }
  uint16_t crc = 0;
  for (int i = 0; i < STATES; i++) crc = crc16(crc, counts[i]);
  return crc;
}

static uint64_t mixture(uint64_t rounds) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    uint16_t crc = crc16(list_work((uint32_t)i), matrix_work((uint32_t)i));
    sum = sum * 31 + crc16(crc, state_work((uint32_t)i));
  }
  return sum;
}

/* --- The others, each one idea. --- */

static uint64_t sieve(uint64_t rounds) {
  enum { SIZE = 32768 };
  static uint8_t composite[SIZE];
  uint64_t sum = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    memset(composite, 0, SIZE);
    for (uint32_t i = 2; i < SIZE; i++) {
      if (composite[i]) continue;
      sum += i;
      for (uint32_t j = i * 2; j < SIZE; j += i) composite[j] = 1;
    }
  }
  return sum;
}

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* FIPS 180-4, section 4.2.2. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_block(uint32_t state[8], const uint8_t *block) {
  uint32_t w[64];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[i * 4] << 24 | block[i * 4 + 1] << 16 | block[i * 4 + 2] << 8 | block[i * 4 + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static uint64_t sha256(uint64_t rounds) {
  enum { SIZE = 16384 };
  static uint8_t data[SIZE];
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (uint64_t round = 0; round < rounds; round++) {
    data[round % SIZE]++;
    for (int at = 0; at < SIZE; at += 64) sha256_block(state, data + at);
  }
  memset(data, 0, SIZE);
  return (uint64_t)state[0] << 32 | state[7];
}

/* A machine with eight registers, interpreted by a switch: what language runtimes without a JIT do. */
enum op { ADD, SUB, XOR, SHIFT, LOAD, STORE, IMMEDIATE, LOOP };
struct code {
  uint8_t op, to, from, value;
};

static uint64_t bytecode(uint64_t rounds) {
  static const struct code program[] = {{IMMEDIATE, 1, 0, 17}, {IMMEDIATE, 2, 0, 99}, {ADD, 3, 1, 0},  {XOR, 3, 2, 0},
                                        {STORE, 3, 4, 0},      {SHIFT, 3, 0, 5},      {ADD, 4, 3, 0},  {LOAD, 5, 3, 0},
                                        {SUB, 1, 5, 0},        {XOR, 2, 4, 0},        {STORE, 2, 1, 0}, {LOAD, 6, 4, 0},
                                        {ADD, 6, 2, 0},        {SUB, 3, 6, 0},        {LOOP, 7, 0, 2}};
  static uint32_t memory[256];
  uint64_t sum = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    uint32_t r[8] = {0, 0, 0, 0, 0, 0, 0, 1000};
    for (const struct code *pc = program;;) {
      const struct code c = *pc++;
      switch (c.op) {
        case ADD: r[c.to] += r[c.from]; continue;
        case SUB: r[c.to] -= r[c.from]; continue;
        case XOR: r[c.to] ^= r[c.from]; continue;
        case SHIFT: r[c.to] = rotate(r[c.to], c.value); continue;
        case LOAD: r[c.to] = memory[r[c.from] & 255]; continue;
        case STORE: memory[r[c.from] & 255] = r[c.to]; continue;
        case IMMEDIATE: r[c.to] = c.value; continue;
        case LOOP:
          if (--r[c.to] == 0) break;
          pc = program + c.value;
          continue;
      }
      break;
    }
    sum = sum * 31 + r[3];
  }
  memset(memory, 0, sizeof memory);
  return sum;
}

static uint64_t xorshift(uint64_t rounds) {
  uint64_t x = 88172645463325252u;
  for (uint64_t i = 0; i < rounds * 1000; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

/* Sun and four planets by the symplectic Euler method; masses and distances are made up. */
static uint64_t nbody(uint64_t rounds) {
  enum { BODIES = 5 };
  struct { double p[3], v[3], mass; } b[BODIES];
  for (int i = 0; i < BODIES; i++) {
    double r = i * 1.7, speed = i == 0 ? 0 : 1 / (0.4 + 0.5 * i);
    b[i].p[0] = r, b[i].p[1] = 0.1 * i, b[i].p[2] = 0.01 * i * i;
    b[i].v[0] = 0, b[i].v[1] = speed, b[i].v[2] = 0.02 * i;
    b[i].mass = i == 0 ? 1 : 0.001 * i;
  }
  for (uint64_t t = 0; t < rounds * 100; t++) {
    for (int i = 0; i < BODIES; i++) {
      for (int j = i + 1; j < BODIES; j++) {
        double d[3], square = 0.01;
        for (int k = 0; k < 3; k++) d[k] = b[i].p[k] - b[j].p[k], square += d[k] * d[k];
        double magnitude = 0.001 / (square * __builtin_sqrt(square));
        for (int k = 0; k < 3; k++) {
          b[i].v[k] -= d[k] * b[j].mass * magnitude;
          b[j].v[k] += d[k] * b[i].mass * magnitude;
        }
      }
    }
    for (int i = 0; i < BODIES; i++)
      for (int k = 0; k < 3; k++) b[i].p[k] += 0.001 * b[i].v[k];
  }
  /* To eight digits: some machines round once where others round twice. */
  return (uint64_t)(int64_t)(b[1].p[0] * 1e8 + 0.5);
}

static uint64_t chase(uint64_t rounds) {
  enum { COUNT = 1 << 20 };
  static uint32_t *next;
  if (next == NULL) {
    next = malloc(COUNT * sizeof *next);
    if (next == NULL) abort();
    uint32_t seed = 1;
    for (uint32_t i = 0; i < COUNT; i++) next[i] = i;
    /* Sattolo's shuffle: one cycle through all. */
    for (uint32_t i = COUNT - 1; i > 0; i--) {
      seed = seed * 1664525 + 1013904223;
      uint32_t j = (uint32_t)((uint64_t)seed * i >> 32), kept = next[i];
      next[i] = next[j];
      next[j] = kept;
    }
  }
  uint32_t at = 0;
  for (uint64_t i = 0; i < rounds * 1000; i++) at = next[at];
  return at;
}

static uint64_t copy(uint64_t rounds) {
  enum { SIZE = 1 << 20 };
  static uint8_t *from, *to;
  if (from == NULL) {
    from = malloc(SIZE);
    to = malloc(SIZE);
    if (from == NULL || to == NULL) abort();
    for (int i = 0; i < SIZE; i++) from[i] = (uint8_t)(i * 7);
  }
  uint64_t sum = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    memcpy(to, from, opaque(SIZE));
    sum += to[round % SIZE];
  }
  return sum;
}

const struct kernel compute_kernels[] = {{"coremark-like", "rounds/s", 1, mixture},
                                         {"sieve", "rounds/s", 1, sieve},
                                         {"sha256", "MB/s", 0.016384, sha256},
                                         {"bytecode", "Mops/s", 0.013, bytecode},
                                         {"xorshift", "M/s", 0.001, xorshift},
                                         {"nbody", "ksteps/s", 0.1, nbody},
                                         {"chase", "Mloads/s", 0.001, chase},
                                         {"memcpy", "MB/s", 1.048576, copy},
                                         {0}};
