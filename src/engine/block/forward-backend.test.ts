import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { BlkdebugBackend } from './blkdebug-backend.ts';
import { BLK_OK, EINVAL, EIO, ENOMEDIUM } from './block-backend.ts';
import { ForwardBackend } from './forward-backend.ts';
import { FORWARD_BYTES, FORWARD_PIECES, FORWARD_SLOTS } from './forward-layout.ts';
import { ForwardServer } from './forward-server.ts';
import { RawStore } from './raw-store.ts';
import { StoreBackend } from './store-backend.ts';
import { settled } from './testing/conformance.ts';
import { FakeDiskFile } from './testing/fake-disk-file.ts';
import { FakeRequest } from './testing/fake-request.ts';
import { TestLoop, TestNotifiers } from './testing/test-loop.ts';

const DISK = 1024 * 1024;
const BUFFERS = 2 * FORWARD_BYTES;

/** A disk in context `owner`, and submitters in contexts of their own. */
async function board() {
  const pages = Math.ceil((BUFFERS + DISK) / 65536) + 1;
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  const clock = new VirtualClock();
  const notifiers = new TestNotifiers();
  const loops: TestLoop[] = [];
  const loop = (name: string): TestLoop => {
    const made = new TestLoop(name, clock, notifiers);
    loops.push(made);
    return made;
  };
  const owner = loop('owner/aio');
  let file = new FakeDiskFile(DISK);
  const disk = new BlkdebugBackend(
    'debug0',
    new StoreBackend('raw0', () => {
      file = file.reopen();
      return Promise.resolve(new RawStore(mem, file, false));
    }),
  );
  await disk.attach(owner.aio);
  const ways = [0, 1].map((i) => ({
    base: i * FORWARD_BYTES,
    notifiers: { submitted: notifiers.make(), completed: notifiers.make() },
  }));
  const serve = (way: number, on = owner): ForwardServer => {
    const { base, notifiers: pair } = ways[way] as (typeof ways)[number];
    return new ForwardServer(mem, base, pair, on.aio, disk);
  };
  const submitter = (way: number): { forward: ForwardBackend; loop: TestLoop } => {
    const { base, notifiers: pair } = ways[way] as (typeof ways)[number];
    return { forward: new ForwardBackend(`fwd${way}`, mem, base, pair), loop: loop(`ctx${way}/aio`) };
  };
  const settle = (): void => {
    for (let i = 0; i < 8; i++) for (const each of loops) each.run();
  };
  return { mem, disk, file: () => file, owner, loop, serve, submitter, settle, ways };
}

describe('a disk owned by another context', () => {
  it('cannot be attached before its owner has said what it is', async () => {
    const b = await board();
    const { forward, loop } = b.submitter(0);
    expect(await forward.attach(loop.aio)).toBe(ENOMEDIUM);
    b.serve(0);
    expect(await forward.attach(loop.aio)).toBe(BLK_OK);
    expect([forward.bytes, forward.readOnly, forward.canDiscard]).toEqual([DISK, false, false]);
  });

  it('serves several contexts at once, each with its own completions', async () => {
    const b = await board();
    const requests: FakeRequest[] = [];
    for (const way of [0, 1]) {
      b.serve(way);
      const { forward, loop } = b.submitter(way);
      await forward.attach(loop.aio);
      b.mem.u8.fill(way + 1, BUFFERS + way * 512, BUFFERS + (way + 1) * 512);
      const request = new FakeRequest('write', way * 512, [[BUFFERS + way * 512, 512]]);
      forward.submit(request);
      requests.push(request);
    }
    b.settle();
    expect(requests.map((request) => request.result)).toEqual([BLK_OK, BLK_OK]);
    expect([b.file().data[0], b.file().data[512]]).toEqual([1, 2]);
  });

  it('takes more requests than there are slots', async () => {
    const b = await board();
    b.serve(0);
    const { forward, loop } = b.submitter(0);
    await forward.attach(loop.aio);
    const requests = Array.from({ length: 3 * FORWARD_SLOTS }, (_, i) => {
      b.mem.u8.fill(i, BUFFERS + i * 512, BUFFERS + (i + 1) * 512);
      return new FakeRequest('write', i * 512, [[BUFFERS + i * 512, 512]]);
    });
    for (const request of requests) forward.submit(request);
    expect(forward.inFlight).toBe(requests.length);
    b.settle();
    expect(requests.every((request) => request.result === BLK_OK)).toBe(true);
    expect(requests.every((_, i) => b.file().data[i * 512] === i % 256)).toBe(true);
  });

  it('takes lists longer than a slot, down to single bytes, and cuts them at sectors', async () => {
    const b = await board();
    b.serve(0);
    const { forward, loop } = b.submitter(0);
    await forward.attach(loop.aio);
    const bytes = 5 * 512;
    for (const lengths of [[1], [3, 1, 2]]) {
      const pieces: [addr: number, length: number][] = [];
      for (let at = 0; at < bytes; ) {
        const length = Math.min(lengths[pieces.length % lengths.length] as number, bytes - at);
        for (let i = 0; i < length; i++) b.mem.u8[BUFFERS + 2 * at + i] = (at + i) % 251;
        pieces.push([BUFFERS + 2 * at, length]);
        at += length;
      }
      expect(pieces.length).toBeGreaterThan(FORWARD_PIECES);
      const write = new FakeRequest('write', 1024, pieces);
      forward.submit(write);
      b.settle();
      expect(write.result).toBe(BLK_OK);
      expect(Array.from(b.file().data.subarray(1024, 1024 + bytes))).toEqual(
        Array.from({ length: bytes }, (_, i) => i % 251),
      );
      b.file().data.fill(0);
    }
  });

  it('one failed part fails the request, once', async () => {
    const b = await board();
    b.serve(0);
    const { forward, loop } = b.submitter(0);
    await forward.attach(loop.aio);
    b.disk.setRules([{ sector: 1, errno: EIO }]);
    const pieces = Array.from({ length: 2048 }, (_, i) => [BUFFERS + 2 * i, 1] as const);
    const read = new FakeRequest('read', 0, pieces);
    forward.submit(read);
    b.settle();
    expect([read.result, forward.inFlight]).toEqual([EIO, 0]);
  });

  it('wakes the owner once for a plugged batch', async () => {
    const b = await board();
    b.serve(0);
    const { forward, loop } = b.submitter(0);
    await forward.attach(loop.aio);
    const submitted = b.ways[0]?.notifiers.submitted;
    forward.plug();
    for (let i = 0; i < 8; i++) forward.submit(new FakeRequest('read', 0, [[BUFFERS, 512]]));
    expect(submitted?.isSet()).toBe(false);
    forward.unplug();
    expect(submitted?.count).toBe(1);
  });

  it('a drain waits for the other side', async () => {
    const b = await board();
    b.serve(0);
    const { forward, loop } = b.submitter(0);
    await forward.attach(loop.aio);
    b.disk.setRules([{ delayNs: Infinity }]);
    forward.submit(new FakeRequest('read', 0, [[BUFFERS, 512]]));
    let drained = false;
    forward.drain(() => (drained = true));
    b.settle();
    expect(drained).toBe(false);
    b.disk.releaseHeld();
    b.settle();
    expect(drained).toBe(true);
  });

  it('a change of size reaches every submitter', async () => {
    const b = await board();
    const servers = [b.serve(0), b.serve(1)];
    const ends = [b.submitter(0), b.submitter(1)];
    const told = [0, 0];
    for (const [i, { forward, loop }] of ends.entries()) {
      await forward.attach(loop.aio);
      forward.onResize = () => (told[i] = forward.bytes);
    }
    b.disk.onResize = () => {
      for (const server of servers) server.publish();
    };
    const { forward } = ends[0] as (typeof ends)[number];
    expect(await settled(b, forward.resize(2 * DISK))).toBe(BLK_OK);
    b.settle();
    expect(told).toEqual([2 * DISK, 2 * DISK]);
    expect(await settled(b, forward.resize(DISK + 1))).toBe(EINVAL);
  });

  it('moves to another owner: what is submitted in between is served there', async () => {
    const b = await board();
    const server = b.serve(0);
    const { forward, loop } = b.submitter(0);
    await forward.attach(loop.aio);
    b.mem.u8.fill(7, BUFFERS, BUFFERS + 512);
    const before = new FakeRequest('write', 0, [[BUFFERS, 512]]);
    forward.submit(before);
    b.settle();
    server.close();
    await b.disk.detach();
    const between = new FakeRequest('read', 0, [[BUFFERS + 4096, 512]]);
    forward.submit(between);
    b.settle();
    expect(between.results).toEqual([]);
    const next = b.loop('ctx9/aio');
    await b.disk.attach(next.aio);
    b.serve(0, next);
    b.settle();
    expect([before.result, between.result, b.mem.u8[BUFFERS + 4096]]).toEqual([BLK_OK, BLK_OK, 7]);
  });
});
