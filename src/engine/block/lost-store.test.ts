import { expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { BLK_OK, EIO } from './block-backend.ts';
import { LostStore } from './lost-store.ts';
import { StoreBackend } from './store-backend.ts';
import { FakeRequest } from './testing/fake-request.ts';
import { TestLoop, TestNotifiers } from './testing/test-loop.ts';

it('a disk nobody can open any more keeps its size, and fails every request with EIO', async () => {
  const was = { bytes: 8192, readOnly: false, canDiscard: true };
  const backend = new StoreBackend('d0', () => Promise.resolve(new LostStore(was)));
  expect(await backend.attach(new TestLoop('loop', new VirtualClock(), new TestNotifiers()).aio)).toBe(
    BLK_OK,
  );
  expect([backend.bytes, backend.readOnly, backend.canDiscard]).toEqual([8192, false, true]);
  for (const kind of ['read', 'write', 'flush', 'discard', 'write-zeroes'] as const) {
    const request = new FakeRequest(kind, 0, kind === 'flush' ? [] : [[0, 512]]);
    backend.submit(request);
    expect([kind, request.result]).toEqual([kind, EIO]);
  }
  expect(await backend.detach(false)).toBe(BLK_OK);
});
