import { serveRole, type ThreadRole } from '../machine/roles.ts';
import { createBrowserHost } from './browser-host.ts';

/** Entry point of every worker of a machine in a page: waits for its role, then serves it. */
globalThis.onmessage = (event: MessageEvent<ThreadRole>) => {
  globalThis.onmessage = null;
  serveRole(event.data, createBrowserHost(event.data.epoch)).then(
    () => globalThis.close(),
    // Reported outside the promise, so that the supervisor's `error` listener hears of it.
    (error: unknown) => reportError(error),
  );
};
