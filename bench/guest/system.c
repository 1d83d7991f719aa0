/* Kernels whose work is done by the guest's operating system: traps, page tables, context switches. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qbench.h"

static uint64_t syscalls(uint64_t rounds) {
  uint64_t same = 0;
  long parent = syscall(SYS_getppid);
  for (uint64_t i = 0; i < rounds * 100; i++) same += syscall(SYS_getppid) == parent;
  return same;
}

/* Anonymous memory, touched page by page and given back. */
static uint64_t faults(uint64_t rounds) {
  enum { PAGES = 256, PAGE = 4096 };
  uint64_t touched = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    char *area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) abort();
    for (int i = 0; i < PAGES; i++) touched += ++*(volatile char *)(area + i * PAGE);
    munmap(area, PAGES * PAGE);
  }
  return touched;
}

/* A byte to another process and back. */
static uint64_t pipes(uint64_t rounds) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) abort();
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) {
    char byte;
    close(there[1]);
    while (read(there[0], &byte, 1) == 1)
      if (write(back[1], &byte, 1) != 1) break;
    _exit(0);
  }
  close(there[0]);
  close(back[1]);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds * 20; i++) {
    char byte = (char)i;
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) abort();
    sum += (uint8_t)byte;
  }
  close(there[1]);
  close(back[0]);
  waitpid(child, NULL, 0);
  return sum;
}

static uint64_t fork_exec(uint64_t rounds) {
  uint64_t ended = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
      execl("/proc/self/exe", "qbench", "nothing", NULL);
      _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    ended += status == 0;
  }
  return ended;
}

const struct kernel system_kernels[] = {{"syscall", "k/s", 0.1, syscalls},
                                        {"page-fault", "k/s", 0.256, faults},
                                        {"pipe", "k/s", 0.02, pipes},
                                        {"fork-exec", "/s", 1, fork_exec},
                                        {0}};
