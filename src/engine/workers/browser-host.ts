import type { Host } from '../host.ts';
import { openOpfsDisk } from './browser-disk.ts';

/** Lets one macrotask pass in about 35 µs; `setTimeout(0)` would take 4 ms. */
function createMacrotask(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(0);
    });
}

/**
 * The Host of a browser worker. `epoch` is the supervising page's `timeOrigin + now` in ms at the machine's
 * start: all workers count ns from there and agree within about 10 µs.
 */
export function createBrowserHost(epoch: number): Host {
  const origin = performance.timeOrigin - epoch;
  return {
    kind: 'browser',
    clock: { nowNs: () => (origin + performance.now()) * 1e6 },
    wallClockNs: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n,
    cores: navigator.hardwareConcurrency,
    openDisk: openOpfsDisk,
    macrotask: createMacrotask(),
    randomBytes: (into) => void crypto.getRandomValues(into),
    log: (level, message) => console[level](message),
  };
}
