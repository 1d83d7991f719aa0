import { expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { BlkdebugBackend, type FaultRule } from './blkdebug-backend.ts';
import { BLK_OK, EIO, ENOSPC } from './block-backend.ts';
import { NullStore } from './null-store.ts';
import { StoreBackend } from './store-backend.ts';
import { FakeRequest } from './testing/fake-request.ts';
import { TestLoop, TestNotifiers } from './testing/test-loop.ts';

async function board(...rules: FaultRule[]) {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  const clock = new VirtualClock();
  const loop = new TestLoop('ctx0/aio', clock, new TestNotifiers());
  const child = new StoreBackend('null0', () => Promise.resolve(new NullStore(mem, 2 ** 20)));
  const debug = new BlkdebugBackend('debug0', child, rules);
  await debug.attach(loop.aio);
  const submit = (kind: 'read' | 'write' | 'flush', sector = 0, sectors = 1): FakeRequest => {
    const request = new FakeRequest(kind, sector * 512, kind === 'flush' ? [] : [[0, sectors * 512]]);
    debug.submit(request);
    return request;
  };
  return { debug, clock, loop, submit };
}

it('fails the kinds and sectors named', async () => {
  const { submit } = await board({ kinds: ['write'], sector: 10, errno: EIO });
  expect(submit('write', 9).result).toBe(BLK_OK);
  expect(submit('read', 10).result).toBe(BLK_OK);
  expect(submit('write', 8, 4).result).toBe(EIO);
  expect(submit('write', 11).result).toBe(BLK_OK);
});

it('lets some pass first, or fails once', async () => {
  const { submit } = await board({ kinds: ['read'], after: 2, once: true, errno: ENOSPC });
  expect([0, 1, 2, 3].map(() => submit('read').result)).toEqual([BLK_OK, BLK_OK, ENOSPC, BLK_OK]);
});

it('delays, and then does what the rule says', async () => {
  const { submit, clock, loop, debug } = await board(
    { kinds: ['flush'], delayNs: 1000, errno: EIO },
    { delayNs: 5000 },
  );
  const flush = submit('flush');
  const read = submit('read');
  expect([flush.results, read.results, debug.held, debug.inFlight]).toEqual([[], [], 2, 2]);
  clock.advance(1000);
  loop.run();
  expect([flush.result, read.results]).toEqual([EIO, []]);
  clock.advance(4000);
  loop.run();
  expect([read.result, debug.inFlight]).toEqual([BLK_OK, 0]);
});

it('holds for ever until drained', async () => {
  const { submit, clock, loop, debug } = await board({ delayNs: Infinity });
  const read = submit('read');
  clock.advance(1e15);
  loop.run();
  expect(read.results).toEqual([]);
  let drained = false;
  debug.drain(() => (drained = true));
  expect([drained, read.result]).toEqual([true, BLK_OK]);
});
