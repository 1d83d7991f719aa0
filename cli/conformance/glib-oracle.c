/*
 * The conformance oracle: runs scripted scenarios on the real libglib-2.0 (public API only) under a
 * virtual clock and tells what happened. Reads any number of scenarios on stdin, each ended by a line
 * `---`; the answer to each is followed by a line `---`. Each scenario runs in a process of its own,
 * so one that crashes GLib is answered with `CRASH <signal>` and does not spoil the others.
 *
 * Build: cc -O1 glib-oracle.c -o glib-oracle $(pkg-config --cflags --libs glib-2.0) -ldl
 * The scenario language is described in docs/qcontext.md.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <glib-unix.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SOURCES = 64, MAX_FDS = 64, MAX_OPS = 32, MAX_ARGS = 4, WORD = 24, FD_BASE = 1000 };

/* ---- The virtual clock stands in for libc's in the whole process ---- */

static gint64 now_us = 1000000;
static gboolean virtual_clock = FALSE;

int clock_gettime(clockid_t id, struct timespec *ts) {
  static int (*real)(clockid_t, struct timespec *);
  if (virtual_clock && id == CLOCK_MONOTONIC) {
    ts->tv_sec = now_us / 1000000;
    ts->tv_nsec = (now_us % 1000000) * 1000;
    return 0;
  }
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  return real(id, ts);
}

/* ---- What a scenario talks about ---- */

typedef struct {
  int at; /* at which dispatch it runs; 0 = at each */
  char op[WORD];
  char arg[MAX_ARGS][WORD];
  int n_args;
} Operation;

typedef struct {
  char name[WORD];
  GSource *source;
  int prepare_result, check_result, prepare_timeout, return_after;
  int dispatches;
  Operation ops[MAX_OPS];
  int n_ops;
  gpointer tags[MAX_FDS];
  gboolean released; /* the scenario's own reference is gone */
  gboolean attached;
  int parent;
} Subject;

typedef struct {
  GSource source;
  int index;
} CustomSource;

static Subject subjects[MAX_SOURCES];
static int n_subjects;
static int answers[MAX_FDS];
static GMainContext *context;
static int nesting, operations;
/* The phases one by one share these. */
static GPollFD phase_fds[MAX_FDS + 1];
static int phase_n, phase_max, phase_timeout;

static void operate(const Operation *o);

static int find(const char *name) {
  for (int i = 0; i < n_subjects; i++)
    if (!strcmp(subjects[i].name, name)) return i;
  return -1;
}

static Subject *of(GSource *source) { return &subjects[((CustomSource *)source)->index]; }

/* Nothing is waited for: the clock jumps by the timeout if no fd is ready. */
static int fake_poll(GPollFD *fds, guint n, int timeout) {
  int ready = 0;
  GString *seen = g_string_new("");
  for (guint i = 0; i < n; i++) {
    fds[i].revents = 0;
    if (fds[i].fd < FD_BASE) { /* the context's own wakeup */
      GPollFD real = fds[i];
      if (g_poll(&real, 1, 0) > 0) fds[i].revents = real.revents;
      g_string_append(seen, fds[i].revents ? " W!" : " W");
    } else {
      int fd = fds[i].fd - FD_BASE;
      fds[i].revents = answers[fd] & (fds[i].events | G_IO_ERR | G_IO_HUP);
      g_string_append_printf(seen, " %d:%d:%d", fd, fds[i].events, fds[i].revents);
    }
    if (fds[i].revents) ready++;
  }
  if (!ready && timeout > 0) now_us += (gint64)timeout * 1000;
  printf("poll to=%d%s t=%" G_GINT64_FORMAT "%s\n", timeout, !ready && timeout < 0 ? " STALL" : "", now_us,
         seen->str);
  g_string_free(seen, TRUE);
  return ready;
}

static gboolean on_prepare(GSource *source, int *timeout) {
  Subject *s = of(source);
  if (s->prepare_timeout >= 0) *timeout = s->prepare_timeout;
  printf("p %s %d\n", s->name, s->prepare_result);
  return s->prepare_result;
}

static gboolean on_check(GSource *source) {
  Subject *s = of(source);
  printf("c %s %d\n", s->name, s->check_result);
  return s->check_result;
}

static gboolean on_callback(gpointer data) {
  Subject *s = data;
  int k = ++s->dispatches;
  GSource *current = g_main_current_source();
  printf("d %s #%d t=%" G_GINT64_FORMAT " depth=%d st=%" G_GINT64_FORMAT "\n", s->name, k, now_us, g_main_depth(),
         current ? g_source_get_time(current) : -1);
  for (int i = 0; i < s->n_ops; i++)
    if (s->ops[i].at == 0 || s->ops[i].at == k) operate(&s->ops[i]);
  gboolean again = !(s->return_after && k >= s->return_after);
  printf("e %s %d\n", s->name, again);
  return again;
}

static gboolean on_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
  (void)callback, (void)data;
  return on_callback(of(source));
}

static void on_finalize(GSource *source) { printf("x %s\n", of(source)->name); }

static void on_notify(gpointer data) { printf("n %s\n", ((Subject *)data)->name); }

static void on_log(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
  (void)domain, (void)level, (void)data;
  printf("LOG %s\n", message);
}

/* By whether there is a prepare (1) and a check (2). */
static GSourceFuncs custom_funcs[4] = {
    {NULL, NULL, on_dispatch, on_finalize, NULL, NULL},
    {on_prepare, NULL, on_dispatch, on_finalize, NULL, NULL},
    {NULL, on_check, on_dispatch, on_finalize, NULL, NULL},
    {on_prepare, on_check, on_dispatch, on_finalize, NULL, NULL},
};

/* ---- Operations. What would be a programming error is skipped silently. ---- */

static gboolean nameable(int i) { return i >= 0 && subjects[i].source && !subjects[i].released; }
static gboolean alive(int i) { return nameable(i) && !g_source_is_destroyed(subjects[i].source); }

static void add_child(int i, int c) {
  if (!alive(i) || !alive(c) || i == c || subjects[c].attached || subjects[c].parent >= 0) return;
  for (int at = i; at >= 0; at = subjects[at].parent)
    if (at == c) return;
  for (int j = 0; j < n_subjects; j++)
    if (subjects[j].parent == c) return;
  subjects[c].parent = i;
  printf("child %s %s\n", subjects[i].name, subjects[c].name);
  g_source_add_child_source(subjects[i].source, subjects[c].source);
  subjects[c].attached = TRUE;
}

static void remove_child(int i, int c) {
  if (!alive(i) || !alive(c) || subjects[c].parent != i || !g_source_get_context(subjects[i].source)) return;
  printf("unchild %s %s\n", subjects[i].name, subjects[c].name);
  g_source_remove_child_source(subjects[i].source, subjects[c].source);
}

static void operate_on_fd(Subject *s, const char *op, unsigned fd, int events) {
  if (fd >= MAX_FDS) return;
  if (!strcmp(op, "addfd")) {
    if (!s->tags[fd]) s->tags[fd] = g_source_add_unix_fd(s->source, FD_BASE + (int)fd, events);
  } else if (s->tags[fd] && !strcmp(op, "modfd")) {
    g_source_modify_unix_fd(s->source, s->tags[fd], events);
  } else if (s->tags[fd]) {
    g_source_remove_unix_fd(s->source, s->tags[fd]);
    s->tags[fd] = NULL;
  }
}

static void operate(const Operation *o) {
  if (++operations > 400) return;
  const char *op = o->op, *first = o->arg[0], *second = o->arg[1];
  int i = o->n_args > 0 ? find(first) : -1;
  Subject *s = i >= 0 ? &subjects[i] : NULL;
#define OP(name) (!strcmp(op, name))
  if (OP("attach")) {
    if (!alive(i) || s->attached || s->parent >= 0) return;
    s->attached = TRUE;
    printf("attach %s id=%u\n", s->name, g_source_attach(s->source, context));
  } else if (OP("destroy")) {
    if (!nameable(i)) return;
    printf("destroy %s\n", s->name);
    g_source_destroy(s->source);
  } else if (OP("unref")) {
    if (!nameable(i)) return;
    s->released = TRUE;
    printf("unref %s\n", s->name);
    g_source_unref(s->source);
  } else if (OP("prio")) {
    if (alive(i) && s->parent < 0) g_source_set_priority(s->source, atoi(second));
  } else if (OP("ready")) {
    if (nameable(i)) g_source_set_ready_time(s->source, second[0] == '+' ? now_us + atoll(second + 1) : atoll(second));
  } else if (OP("recurse")) {
    if (nameable(i)) g_source_set_can_recurse(s->source, atoi(second));
  } else if (OP("child")) {
    add_child(i, find(second));
  } else if (OP("unchild")) {
    remove_child(i, find(second));
  } else if (OP("addfd") || OP("modfd") || OP("rmfd")) {
    if (alive(i)) operate_on_fd(s, op, (unsigned)atoi(second), atoi(o->arg[2]));
  } else if (OP("fd")) {
    if ((unsigned)atoi(first) < MAX_FDS) answers[atoi(first)] = atoi(second);
  } else if (OP("setprep")) {
    if (s) s->prepare_result = atoi(second);
  } else if (OP("setchk")) {
    if (s) s->check_result = atoi(second);
  } else if (OP("tick")) {
    now_us += atoll(first);
  } else if (OP("wakeup")) {
    g_main_context_wakeup(context);
  } else if (OP("iter")) {
    if (nesting >= 3) return;
    nesting++;
    printf("iter> %s\n", first);
    printf("iter< %d\n", g_main_context_iteration(context, atoi(first)));
    nesting--;
  } else if (OP("pending")) {
    if (nesting >= 3) return;
    nesting++;
    printf("pending>\n");
    printf("pending< %d\n", g_main_context_pending(context));
    nesting--;
  } else if (OP("prepare")) {
    gboolean ready = g_main_context_prepare(context, &phase_max);
    printf("prepare %d max=%d\n", ready, phase_max);
  } else if (OP("query")) {
    phase_n = g_main_context_query(context, phase_max, &phase_timeout, phase_fds, G_N_ELEMENTS(phase_fds));
    printf("query n=%d to=%d\n", phase_n, phase_timeout);
  } else if (OP("poll")) {
    fake_poll(phase_fds, phase_n, 0);
  } else if (OP("check")) {
    printf("check %d\n", g_main_context_check(context, phase_max, phase_fds, phase_n));
  } else if (OP("dispatch")) {
    printf("dispatch>\n");
    g_main_context_dispatch(context);
    printf("dispatch<\n");
  } else {
    printf("??? %s\n", op);
  }
#undef OP
}

/* ---- Reading a scenario ---- */

static void word_copy(char to[WORD], const char *from) { g_strlcpy(to, from, WORD); }

static Subject *define(const char *name) {
  if (n_subjects == MAX_SOURCES) return NULL;
  Subject *s = &subjects[n_subjects];
  word_copy(s->name, name);
  s->parent = -1;
  return s;
}

static void parse_operation(Operation *o, int at, char **words, int n) {
  memset(o, 0, sizeof *o);
  o->at = at;
  word_copy(o->op, words[0]);
  for (int i = 1; i < n && o->n_args < MAX_ARGS; i++) word_copy(o->arg[o->n_args++], words[i]);
}

static void run_line(char *line) {
  char *w[12];
  int n = 0;
  for (char *p = strtok(line, " \n"); p && n < 12; p = strtok(NULL, " \n")) w[n++] = p;
  if (n == 0 || w[0][0] == '#') return;
  Subject *s;
  if (!strcmp(w[0], "src") && n >= 6 && (s = define(w[1]))) {
    gboolean has_prepare = w[2][0] != '-', has_check = w[3][0] != '-';
    s->prepare_result = w[2][0] == '1';
    s->check_result = w[3][0] == '1';
    s->prepare_timeout = atoi(w[4]);
    s->return_after = atoi(w[5]);
    s->source = g_source_new(&custom_funcs[has_prepare + 2 * has_check], sizeof(CustomSource));
    ((CustomSource *)s->source)->index = n_subjects++;
  } else if (!strcmp(w[0], "idle") && n >= 3 && (s = define(w[1]))) {
    s->return_after = atoi(w[2]);
    s->source = g_idle_source_new();
    g_source_set_callback(s->source, on_callback, s, on_notify);
    n_subjects++;
  } else if (!strcmp(w[0], "timeout") && n >= 4 && (s = define(w[1]))) {
    s->return_after = atoi(w[3]);
    s->source = g_timeout_source_new((guint)atoi(w[2]));
    g_source_set_callback(s->source, on_callback, s, on_notify);
    n_subjects++;
  } else if (!strcmp(w[0], "on") && n >= 4 && find(w[1]) >= 0) {
    s = &subjects[find(w[1])];
    if (s->n_ops < MAX_OPS) parse_operation(&s->ops[s->n_ops++], w[2][0] == '*' ? 0 : atoi(w[2]), w + 3, n - 3);
  } else if (!strcmp(w[0], "do") && n >= 2) {
    Operation o;
    parse_operation(&o, 0, w + 1, n - 1);
    operate(&o);
  }
}

static void run_scenario(char *text) {
  g_log_set_default_handler(on_log, NULL);
  context = g_main_context_new();
  g_main_context_set_poll_func(context, fake_poll);
  g_main_context_acquire(context);
  virtual_clock = TRUE;
  for (char *line = text, *end; line && *line; line = end) {
    end = strchr(line, '\n');
    if (end) *end++ = 0;
    run_line(line);
  }
  printf("END t=%" G_GINT64_FORMAT "\n", now_us);
}

/* What was said before a crash is part of the answer. */
static void on_crash(int number) {
  fflush(stdout);
  signal(number, SIG_DFL);
  raise(number);
}

int main(void) {
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  GString *text = g_string_new("");
  char *line = NULL;
  size_t size = 0;
  gboolean more = TRUE;
  while (more) {
    more = getline(&line, &size, stdin) > 0;
    if (more && strcmp(line, "---\n") && strcmp(line, "---")) {
      g_string_append(text, line);
      continue;
    }
    if (!more && text->len == 0) break;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      freopen("/dev/null", "w", stderr); /* where a failed assertion of GLib's goes */
      signal(SIGABRT, on_crash);
      signal(SIGSEGV, on_crash);
      run_scenario(text->str);
      fflush(stdout);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) printf("CRASH %d\n", WTERMSIG(status));
    printf("---\n");
    g_string_truncate(text, 0);
  }
  return 0;
}
