import { parentPort } from 'node:worker_threads';
import { serveRole, type ThreadRole } from '../../src/engine/machine/roles.ts';
import { createNodeHost } from './node-host.ts';

/** Entry point of every worker of a machine in Node: waits for its role, then serves it. */
parentPort?.once('message', (role: ThreadRole) => {
  void serveRole(role, createNodeHost(role.epoch)).finally(() => process.exit());
});
