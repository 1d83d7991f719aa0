import { randomFillSync } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw, type ZlibOptions } from 'node:zlib';
import type { Host } from '../../src/engine/host.ts';
import { nodeDiskStamp, openNodeDisk } from './node-disk.ts';
import { nodeSnapshots } from './node-snapshots.ts';

/** With the 16 KiB zlib takes by itself, half the time goes into putting pieces together. */
const CHUNK_BYTES = 1024 * 1024;
const deflateAsync = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);
const inflateAsync = promisify<Uint8Array, ZlibOptions, Buffer>(inflateRaw);

/** The Host of a Node worker thread. `epoch` is a `process.hrtime` reading in ns: the clock counts from there. */
export function createNodeHost(epoch: number): Host {
  const start = BigInt(epoch);
  return {
    kind: 'node',
    clock: { nowNs: () => Number(process.hrtime.bigint() - start) },
    wallClockNs: () => BigInt(Date.now()) * 1_000_000n,
    cores: availableParallelism(),
    // Opening a file here is one system call.
    prepareDisk: () => Promise.resolve(),
    openDisk: openNodeDisk,
    diskStamp: nodeDiskStamp,
    snapshots: nodeSnapshots,
    deflate: (bytes) => deflateAsync(bytes, { level: 1, chunkSize: CHUNK_BYTES }),
    inflate: (bytes) => inflateAsync(bytes, { chunkSize: CHUNK_BYTES }),
    macrotask: () => new Promise((resolve) => void setImmediate(resolve)),
    randomBytes: (into) => void randomFillSync(into),
    log: (level, message) => process.stderr.write(`${level}: ${message}\n`),
  };
}
