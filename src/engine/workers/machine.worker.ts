import { serveRole, type ThreadRole } from '../machine/roles.ts';
import { createBrowserHost } from './browser-host.ts';

/** Entry point of every worker of a machine in a page: waits for its role, then serves it. */
globalThis.onmessage = (event: MessageEvent<ThreadRole>) => {
  globalThis.onmessage = null;
  void serveRole(event.data, createBrowserHost(event.data.epoch)).finally(() => globalThis.close());
};
