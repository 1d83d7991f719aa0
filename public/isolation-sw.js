/**
 * Adds the two headers a cross-origin isolated page needs, for servers that can't be told to send them. It is
 * registered only when the visitor presses the button that offers it, and does nothing else: no cache.
 */
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  // A browser quirk: such requests can't be answered by a service worker.
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return;
  // It hands traces to a window of another origin, from which the headers would cut it off.
  if (new URL(request.url).pathname.endsWith('/bridge.html')) return;
  event.respondWith(
    fetch(request).then((response) => {
      if (response.status === 0) return response;
      const headers = new Headers(response.headers);
      headers.set('Cross-Origin-Opener-Policy', 'same-origin');
      headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
      headers.set('Cross-Origin-Resource-Policy', 'same-origin');
      return new Response(response.body, {
        status: response.status,
        statusText: response.statusText,
        headers,
      });
    }),
  );
});
