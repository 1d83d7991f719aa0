import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { BlkdebugBackend } from './blkdebug-backend.ts';
import { BLK_OK, type BlockBackend } from './block-backend.ts';
import { ForwardBackend } from './forward-backend.ts';
import { FORWARD_BYTES } from './forward-layout.ts';
import { ForwardServer } from './forward-server.ts';
import { MemoryDiskLayout, MemoryStore } from './memory-store.ts';
import { OverlayStore } from './overlay-store.ts';
import { RawStore } from './raw-store.ts';
import { StoreBackend } from './store-backend.ts';
import { type BackendFixture, blockBackendConformance, type FixtureOptions } from './testing/conformance.ts';
import { FakeDiskFile } from './testing/fake-disk-file.ts';
import { TestLoop, TestNotifiers } from './testing/test-loop.ts';
import { ThrottleBackend } from './throttle-backend.ts';
import { NO_THROTTLE } from './throttle-limits.ts';

const BUFFERS = 0x8_0000;

function machine() {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true }));
  const clock = new VirtualClock(1_000_000);
  const notifiers = new TestNotifiers();
  const loop = new TestLoop('ctx0/aio', clock, notifiers);
  const settle = (): void => {
    for (let i = 0; i < 200; i++) {
      loop.run();
      clock.advance(1_000_000_000);
    }
    loop.run();
  };
  return { mem, clock, notifiers, loop, settle, buffers: BUFFERS, aio: loop.aio };
}

/** A raw image whose file each attach opens anew. */
function rawOn(mem: SharedMemory, options: FixtureOptions) {
  let file = new FakeDiskFile(options.bytes);
  const open = () =>
    new StoreBackend('raw0', () => {
      file = file.reopen();
      return Promise.resolve(new RawStore(mem, file, options.readOnly));
    });
  return { backend: open(), reopen: open, file: () => file };
}

const quick = (fixture: ReturnType<typeof machine>) => ({ ...fixture, settle: () => fixture.loop.run() });

blockBackendConformance('raw', (options) => {
  const board = machine();
  const { backend, reopen, file } = rawOn(board.mem, options);
  return {
    ...quick(board),
    backend,
    reopen,
    fillUp: () => (file().capacity = 0),
    flushes: () => file().calls.flush,
  };
});

blockBackendConformance('memory', (options) => {
  const board = machine();
  const arena = new SharedMemory(MemoryStore.allocate(options.bytes, { maxBytes: 4 * options.bytes }));
  const open = () =>
    new StoreBackend('mem0', () => Promise.resolve(new MemoryStore(board.mem, arena, options.readOnly)));
  return { ...quick(board), backend: open(), reopen: open };
});

blockBackendConformance('memory with little room', (options) => {
  const board = machine();
  const arena = new SharedMemory(MemoryStore.allocate(options.bytes, { maxBytes: 4 * options.bytes }));
  const backend = new StoreBackend('mem0', () =>
    Promise.resolve(new MemoryStore(board.mem, arena, options.readOnly)),
  );
  const fillUp = (): void => {
    const store = new MemoryStore(board.mem, arena);
    for (let cluster = 0; cluster < options.bytes / 4096 - 1; cluster++) store.claimCluster(cluster);
    // The last cluster of the disk has no place left.
    arena.store32(MemoryDiskLayout.at.dataClusters, store.allocatedClusters);
  };
  return { ...quick(board), backend, fillUp };
});

blockBackendConformance('overlay over raw', (options) => {
  const board = machine();
  let file = new FakeDiskFile(options.bytes);
  const arena = new SharedMemory(MemoryStore.allocate(options.bytes, { maxBytes: 4 * options.bytes }));
  const open = () =>
    new StoreBackend('snap0', () => {
      file = file.reopen();
      const base = new RawStore(board.mem, file, true);
      return Promise.resolve(
        options.readOnly ? base : new OverlayStore(board.mem, base, new MemoryStore(board.mem, arena)),
      );
    });
  return { ...quick(board), backend: open(), reopen: open };
});

blockBackendConformance('throttle without limits', (options) => {
  const board = machine();
  const { backend, file } = rawOn(board.mem, options);
  return {
    ...quick(board),
    backend: new ThrottleBackend('throttle0', backend, NO_THROTTLE),
    flushes: () => file().calls.flush,
  };
});

blockBackendConformance('throttle at work', (options) => {
  const board = machine();
  const { backend, file } = rawOn(board.mem, options);
  const limits = {
    ...NO_THROTTLE,
    buckets: { ...NO_THROTTLE.buckets, 'iops-total': { avg: 10, max: 0, maxLength: 1 } },
  };
  return {
    ...board,
    backend: new ThrottleBackend('throttle0', backend, limits),
    flushes: () => file().calls.flush,
  };
});

blockBackendConformance('blkdebug that delays everything', (options) => {
  const board = machine();
  const { backend, file } = rawOn(board.mem, options);
  return {
    ...board,
    backend: new BlkdebugBackend('debug0', backend, [{ delayNs: 1_000_000 }]),
    flushes: () => file().calls.flush,
  };
});

blockBackendConformance('forward to a raw disk in another context', (options) => {
  const board = machine();
  const owner = new TestLoop('owner/aio', board.clock, board.notifiers);
  const { backend: disk, file } = rawOn(board.mem, options);
  const ring = 0x1_0000;
  if (ring + FORWARD_BYTES > BUFFERS) throw new Error('no room for the ring');
  const notifiers = { submitted: board.notifiers.make(), completed: board.notifiers.make() };
  const fixture: BackendFixture = {
    ...board,
    backend: serve(new ForwardBackend('fwd0', board.mem, ring, notifiers)),
    settle: () => {
      for (let i = 0; i < 4; i++) {
        board.loop.run();
        owner.run();
      }
    },
    reopen: () => new ForwardBackend('fwd1', board.mem, ring, notifiers),
    flushes: () => file().calls.flush,
  };
  return fixture;

  /** The owner attaches the disk and opens its end before the other context comes. */
  function serve(forward: ForwardBackend): BlockBackend {
    const attach = forward.attach.bind(forward);
    let server: ForwardServer | undefined;
    forward.attach = async (aio) => {
      if (server === undefined) {
        const result = await disk.attach(owner.aio);
        if (result !== BLK_OK) return result;
        server = new ForwardServer(board.mem, ring, notifiers, owner.aio, disk);
      }
      return attach(aio);
    };
    return forward;
  }
});
