import { randomFillSync } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw, type ZlibOptions } from 'node:zlib';
import type { Host } from '../../src/engine/host.ts';
import { nodeDiskStamp, openNodeDisk } from './node-disk.ts';
import { nodeSnapshots } from './node-snapshots.ts';

/** The Host of a Node worker thread. `epoch` is a `process.hrtime` reading in ns: the clock counts from there. */
export function createNodeHost(epoch: number): Host {
  const start = BigInt(epoch);
  return {
    kind: 'node',
    clock: { nowNs: () => Number(process.hrtime.bigint() - start) },
    wallClockNs: () => BigInt(Date.now()) * 1_000_000n,
    cores: availableParallelism(),
    openDisk: openNodeDisk,
    diskStamp: nodeDiskStamp,
    snapshots: nodeSnapshots,
    deflate: (bytes) => promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw)(bytes, { level: 1 }),
    inflate: (bytes) => promisify<Uint8Array, Buffer>(inflateRaw)(bytes),
    macrotask: () => new Promise((resolve) => void setImmediate(resolve)),
    randomBytes: (into) => void randomFillSync(into),
    log: (level, message) => process.stderr.write(`${level}: ${message}\n`),
  };
}
