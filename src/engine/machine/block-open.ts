import type { BlockBackend } from '../block/block-backend.ts';
import type { DiskStore } from '../block/disk-store.ts';
import { MemoryStore } from '../block/memory-store.ts';
import { NullStore } from '../block/null-store.ts';
import { OverlayStore } from '../block/overlay-store.ts';
import { RawStore } from '../block/raw-store.ts';
import { StoreBackend } from '../block/store-backend.ts';
import { ThrottleBackend } from '../block/throttle-backend.ts';
import { isThrottled, throttleLimits } from '../block/throttle-limits.ts';
import { WindowStore } from '../block/window-store.ts';
import { type DiskLocator, DiskOpenError, type Host } from '../host.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import type { BlockSpec } from '../qom/machine-ops.ts';
import type { ContextCore } from './context-core.ts';

/** A block node as it travels between threads: what it is, and the memory of a disk or overlay that lives in memory. */
export interface BlockPlan {
  readonly spec: BlockSpec;
  /** Made once by the main context, so that whichever thread owns the disk finds the same bytes. */
  readonly arena: WebAssembly.Memory | undefined;
}

/** Data an overlay or memory disk can hold at most; address space only, until it is written. */
const OVERLAY_BYTES = 1024 * 1024 * 1024;

/** Makes the memory a node needs, if it needs any. Main context; `bytes` is the size of the image below an overlay. */
export function allocateArena(spec: BlockSpec, bytes: number | undefined): WebAssembly.Memory | undefined {
  if (spec.protocol.driver === 'memory')
    return MemoryStore.allocate(spec.protocol.size, { capacity: OVERLAY_BYTES });
  if (spec.snapshot && bytes !== undefined) return MemoryStore.allocate(bytes, { capacity: OVERLAY_BYTES });
  return undefined;
}

/** Where the bytes of a node are that is kept in a file; undefined for others. */
export function diskLocator(spec: BlockSpec, host: Host): DiskLocator | undefined {
  if (spec.protocol.driver !== 'file') return undefined;
  return {
    kind: host.kind === 'browser' ? 'opfs' : 'file',
    name: spec.protocol.filename,
    readOnly: spec.readOnly || spec.snapshot,
  };
}

async function openStore({ spec, arena }: BlockPlan, core: ContextCore): Promise<DiskStore> {
  const { mem, host } = core;
  const bottom = async (): Promise<DiskStore> => {
    const { protocol } = spec;
    switch (protocol.driver) {
      case 'file':
        return RawStore.open(host, mem, diskLocator(spec, host) as DiskLocator);
      case 'memory':
        return new MemoryStore(mem, new SharedMemory(arena as WebAssembly.Memory), spec.readOnly);
      case 'null-co':
        return new NullStore(mem, protocol.size, {
          readZeroes: protocol.readZeroes,
          readOnly: spec.readOnly,
        });
    }
  };
  const whole = await bottom();
  const windowed = spec.offset !== 0 || spec.size !== undefined;
  if (windowed && spec.offset + (spec.size ?? 0) > whole.bytes) {
    whole.close();
    throw new DiskOpenError('io', `the window at ${spec.offset} does not fit in ${whole.bytes} bytes`);
  }
  const store = windowed ? new WindowStore(whole, spec.offset, spec.size) : whole;
  if (!spec.snapshot || arena === undefined) return store;
  return new OverlayStore(mem, store, new MemoryStore(mem, new SharedMemory(arena)));
}

/** Makes the backend of a node for the calling thread; `detail` says more after a failed attach. */
export function makeBackend(
  plan: BlockPlan,
  core: ContextCore,
): { backend: BlockBackend; detail: () => string | undefined } {
  const { spec } = plan;
  const limits = throttleLimits(spec.throttling);
  const store = new StoreBackend(spec.id, () => openStore(plan, core), {
    tracer: core.tracer,
    readOnly: spec.readOnly,
  });
  const throttled = limits.ok && isThrottled(limits.value);
  const backend = throttled ? new ThrottleBackend(spec.id, store, limits.value) : store;
  return { backend, detail: () => store.openError?.message };
}
