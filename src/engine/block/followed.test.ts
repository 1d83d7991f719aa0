import { expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { TRACE } from '../trace/schema.ts';
import { RecordingTracer } from '../trace/tracer.ts';
import { BlkdebugBackend } from './blkdebug-backend.ts';
import { BLK_OK } from './block-backend.ts';
import { ForwardBackend } from './forward-backend.ts';
import { FORWARD_BYTES } from './forward-layout.ts';
import { ForwardServer } from './forward-server.ts';
import { RawStore } from './raw-store.ts';
import { StoreBackend } from './store-backend.ts';
import { FakeDiskFile } from './testing/fake-disk-file.ts';
import { FakeRequest } from './testing/fake-request.ts';
import { TestLoop, TestNotifiers } from './testing/test-loop.ts';

it('the events of a request that is not followed are counted, through filters and from other contexts', async () => {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true }));
  const notifiers = new TestNotifiers();
  const owner = new TestLoop('owner/aio', new VirtualClock(), notifiers);
  const tracer = new RecordingTracer();
  const open = () => Promise.resolve(new RawStore(mem, new FakeDiskFile(4096), false));
  const disk = new BlkdebugBackend('debug0', new StoreBackend('raw0', open, { tracer }));
  await disk.attach(owner.aio);
  const pair = { submitted: notifiers.make(), completed: notifiers.make() };
  const server = new ForwardServer(mem, 0, pair, owner.aio, disk);
  const elsewhere = new ForwardBackend('fwd0', mem, 0, pair);
  const other = new TestLoop('ctx0/aio', new VirtualClock(), notifiers);
  expect(await elsewhere.attach(other.aio)).toBe(BLK_OK);

  for (const backend of [disk, elsewhere])
    for (const followed of [true, false])
      for (const kind of ['read', 'write', 'flush'] as const) {
        const pieces = kind === 'flush' ? [] : ([[FORWARD_BYTES, 512]] as const);
        const request = Object.assign(new FakeRequest(kind, 512, pieces), { followed });
        backend.submit(request);
        for (let i = 0; i < 4; i++) for (const loop of [owner, other]) loop.run();
        expect(request.result).toBe(BLK_OK);
      }
  for (const event of [TRACE.blk_co_preadv, TRACE.blk_co_pwritev, TRACE.blk_co_flush])
    expect([tracer.of(event).length, tracer.counted.get(event)]).toEqual([2, 2]);
  server.close();
});
