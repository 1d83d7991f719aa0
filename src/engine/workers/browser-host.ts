import type { Host } from '../host.ts';
import { createBrowserClock } from './browser-clock.ts';
import { openOpfsDisk, opfsDiskStamp, prepareOpfsDisk } from './browser-disk.ts';
import { opfsSnapshots } from './browser-snapshots.ts';

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

/** Without a Blob: its bytes would go to the browser's process and back, which takes as long as inflating them. */
async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  const [converted] = await Promise.all([
    new Response(stream.readable).arrayBuffer(),
    writer.write(bytes),
    writer.close(),
  ]);
  return new Uint8Array(converted);
}

/**
 * The Host of a browser worker. `epoch` is the supervising page's `timeOrigin + now` in ms at the machine's
 * start: all workers count ns from there and agree within about 10 µs.
 */
export function createBrowserHost(epoch: number): Host {
  return {
    kind: 'browser',
    clock: createBrowserClock(epoch),
    wallClockNs: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n,
    cores: navigator.hardwareConcurrency,
    prepareDisk: prepareOpfsDisk,
    openDisk: openOpfsDisk,
    diskStamp: opfsDiskStamp,
    snapshots: opfsSnapshots,
    deflate: (bytes) => through(bytes, new CompressionStream('deflate-raw')),
    inflate: (bytes) => through(bytes, new DecompressionStream('deflate-raw')),
    macrotask: createMacrotask(),
    randomBytes: (into) => void crypto.getRandomValues(into),
    log: (level, message) => console[level](message),
  };
}
