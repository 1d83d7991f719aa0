import type { HubPorts } from '../net/hub/hub-port.ts';
import type { ContextCore } from './context-core.ts';
import { NOTIFIER } from './notifier-table.ts';

/** One thread's view of the machine's hubs. */
export const hubPorts = ({ mem, layout, notifiers }: ContextCore): HubPorts => ({
  mem,
  addrs: layout.hubPorts,
  notifier: (port) => notifiers.get(NOTIFIER.hubPort(port)),
});
