/*
 * The native side of the loop benchmark: how long GLib takes to iterate a context with many attached
 * sources, and to attach and destroy them: the first time, and on average over <rounds> further times in the same
 * context, when nothing is touched for the first time any more. Prints one JSON object.
 *
 * Usage: glib-iterate <sources> <iterations> <rounds>
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

static gint64 dispatched;

static gboolean on_prepare(GSource *source, int *timeout) {
  (void)source, (void)timeout;
  return FALSE;
}
static gboolean on_check(GSource *source) {
  (void)source;
  return FALSE;
}
static gboolean on_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
  (void)source, (void)callback, (void)data;
  dispatched++;
  return TRUE;
}
static GSourceFuncs silent = {on_prepare, on_check, on_dispatch, NULL, NULL, NULL};
static GSourceFuncs by_time = {NULL, NULL, on_dispatch, NULL, NULL, NULL};

static int no_poll(GPollFD *fds, guint n, int timeout) {
  (void)timeout;
  for (guint i = 0; i < n; i++) fds[i].revents = 0;
  return 0;
}

static double now_us(void) { return (double)g_get_monotonic_time(); }

/* Sources with prepare and check, and one in a hundred ready by time. */
static GSource *attach_one(GMainContext *context, int i) {
  GSource *source = g_source_new(i % 100 == 0 ? &by_time : &silent, sizeof(GSource));
  if (i % 100 == 0) g_source_set_ready_time(source, 0);
  g_source_attach(source, context);
  return source;
}

int main(int argc, char **argv) {
  int sources = argc > 1 ? atoi(argv[1]) : 10000, iterations = argc > 2 ? atoi(argv[2]) : 200;
  int rounds = argc > 3 ? atoi(argv[3]) : 0;
  GMainContext *context = g_main_context_new();
  g_main_context_set_poll_func(context, no_poll);
  g_main_context_acquire(context);
  GSource **all = g_new(GSource *, sources);

  double start = now_us();
  for (int i = 0; i < sources; i++) all[i] = attach_one(context, i);
  double attached = now_us();
  for (int i = 0; i < iterations; i++) g_main_context_iteration(context, FALSE);
  double iterated = now_us();
  for (int i = 0; i < sources; i++) {
    g_source_destroy(all[i]);
    g_source_unref(all[i]);
  }
  double destroyed = now_us();
  double again = now_us();
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < sources; i++) all[i] = attach_one(context, i);
    for (int i = 0; i < sources; i++) {
      g_source_destroy(all[i]);
      g_source_unref(all[i]);
    }
  }
  double steady = rounds > 0 ? (now_us() - again) / rounds : 0;
  printf("{\"iterateUs\": %.3f, \"attachUs\": %.3f, \"destroyUs\": %.3f, \"steadyUs\": %.3f, \"dispatched\": %"
         G_GINT64_FORMAT "}\n",
         (iterated - attached) / iterations, attached - start, destroyed - iterated, steady, dispatched);
  return 0;
}
