import { parentPort } from 'node:worker_threads';
import { serveRole, type ThreadRole } from '../../src/engine/machine/roles.ts';
import { createNodeHost } from './node-host.ts';

/** Entry point of every worker of a machine in Node: waits for its role, then serves it. */
parentPort?.once('message', (role: ThreadRole) => {
  serveRole(role, createNodeHost(role.epoch)).then(
    () => process.exit(),
    // Thrown outside the promise, so that the supervisor's `error` listener hears of it.
    (error: unknown) =>
      void setImmediate(() => {
        throw error;
      }),
  );
});
