import { beforeEach, describe, expect, it } from 'vitest';
import type { SharedMemory } from '../../base/shared-memory.ts';
import type { AioLoop } from '../../qcontext/aio-interface.ts';
import {
  BLK_OK,
  type BlockBackend,
  type BlockRequestKind,
  EINVAL,
  ENOSPC,
  ENOTSUP,
  EROFS,
} from '../block-backend.ts';
import { FakeRequest } from './fake-request.ts';

/** What a backend's test gives to the suite. */
export interface BackendFixture {
  /** Memory for the requests' bytes: from `buffers` on, 1 MiB. */
  readonly mem: SharedMemory;
  readonly buffers: number;
  readonly backend: BlockBackend;
  readonly aio: AioLoop;
  /** Turns every loop involved until nothing moves; virtual time passes as needed. */
  settle(): void;
  /** A new backend object over the same bytes, as another context would make it. */
  reopen?(): BlockBackend;
  /** From now on nothing more can be stored. */
  fillUp?(): void;
  /** Flushes that have reached the medium. */
  flushes?(): number;
}

export interface FixtureOptions {
  readonly bytes: number;
  readonly readOnly: boolean;
}

const DISK = 256 * 1024;
const SECTOR = 512;

/** A small generator (mulberry32): the same numbers in every run. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Awaits a promise that needs the loops to turn. */
export async function settled<T>(fixture: Pick<BackendFixture, 'settle'>, promise: Promise<T>): Promise<T> {
  const waiting = Symbol('waiting');
  for (let i = 0; i < 100; i++) {
    fixture.settle();
    // A turn of Node's own loop, so that promises that depend on each other make progress too.
    const turn = new Promise<typeof waiting>((resolve) => void setTimeout(() => resolve(waiting), 0));
    if ((await Promise.race([promise, turn])) !== waiting) break;
  }
  return promise;
}

/** The rules of BlockBackend, run on every implementation. */
export function blockBackendConformance(
  name: string,
  make: (options: FixtureOptions) => BackendFixture,
): void {
  describe(`${name}: BlockBackend`, () => {
    let fixture: BackendFixture;
    const setUp = async (options: Partial<FixtureOptions> = {}): Promise<void> => {
      fixture = make({ bytes: DISK, readOnly: false, ...options });
      expect(await settled(fixture, fixture.backend.attach(fixture.aio))).toBe(BLK_OK);
    };
    beforeEach(() => setUp());

    const run = (
      kind: BlockRequestKind,
      offset = 0,
      pieces: readonly (readonly [number, number])[] = [],
      bytes?: number,
    ) => {
      const absolute = pieces.map(([at, length]) => [fixture.buffers + at, length] as const);
      const request = new FakeRequest(kind, offset, absolute, bytes);
      fixture.backend.submit(request);
      fixture.settle();
      return request.result;
    };
    const buffer = (at: number, bytes: number) => fixture.mem.bytes(fixture.buffers + at, bytes);

    it('B1, B2: completes each request once and counts it until complete has returned', () => {
      const { backend } = fixture;
      const requests = [
        new FakeRequest('write', 0, [[fixture.buffers, 4096]]),
        new FakeRequest('read', 0, [[fixture.buffers + 8192, 4096]]),
        new FakeRequest('read', DISK, [[fixture.buffers, SECTOR]]),
        new FakeRequest('flush'),
        new FakeRequest('write-zeroes', 0, [], SECTOR),
      ];
      const seen: number[] = [];
      for (const request of requests) {
        request.onComplete = () => seen.push(backend.inFlight);
        backend.submit(request);
      }
      fixture.settle();
      expect(requests.map((request) => request.result)).toEqual([BLK_OK, BLK_OK, EINVAL, BLK_OK, BLK_OK]);
      expect(seen.every((inFlight) => inFlight >= 1)).toBe(true);
      expect(backend.inFlight).toBe(0);
    });

    it('knows its size and mode', () => {
      expect(fixture.backend.bytes).toBe(DISK);
      expect(fixture.backend.readOnly).toBe(false);
    });

    it('B3: refuses ranges beyond the end and what is not whole sectors', () => {
      expect(run('read', DISK - SECTOR, [[0, SECTOR]])).toBe(BLK_OK);
      expect(run('read', DISK - SECTOR, [[0, 2 * SECTOR]])).toBe(EINVAL);
      expect(run('write', DISK, [[0, SECTOR]])).toBe(EINVAL);
      expect(run('read', 2 ** 60, [[0, SECTOR]])).toBe(EINVAL);
      expect(run('read', 100, [[0, SECTOR]])).toBe(EINVAL);
      expect(run('write-zeroes', DISK - SECTOR, [], 2 * SECTOR)).toBe(EINVAL);
    });

    it('B4: a read-only disk refuses to be changed and can be read and flushed', async () => {
      await setUp({ readOnly: true });
      expect(fixture.backend.readOnly).toBe(true);
      expect(run('write', 0, [[0, SECTOR]])).toBe(EROFS);
      expect(run('write-zeroes', 0, [], SECTOR)).toBe(EROFS);
      expect(run('read', 0, [[0, SECTOR]])).toBe(BLK_OK);
      expect(run('flush')).toBe(BLK_OK);
      expect(await settled(fixture, fixture.backend.resize(2 * DISK))).toBe(EROFS);
      expect(await settled(fixture, fixture.backend.detach())).toBe(BLK_OK);
    });

    it('B5: what was never written reads as zeroes', () => {
      buffer(0, 8192).fill(0xaa);
      expect(run('read', 64 * 1024, [[0, 8192]])).toBe(BLK_OK);
      expect(buffer(0, 8192).every((byte) => byte === 0)).toBe(true);
    });

    it('B6: a flush reaches the medium after the writes before it', () => {
      const before = fixture.flushes?.();
      expect(run('write', 0, [[0, 4096]])).toBe(BLK_OK);
      expect(run('flush')).toBe(BLK_OK);
      if (before !== undefined) expect(fixture.flushes?.()).toBe(before + 1);
    });

    it('B7: a full disk is ENOSPC', () => {
      if (fixture.fillUp === undefined) return;
      fixture.fillUp();
      expect(run('write', DISK - 4096, [[0, 4096]])).toBe(ENOSPC);
      expect(
        run('write', DISK - 4096, [
          [0, 1024],
          [8192, 3072],
        ]),
      ).toBe(ENOSPC);
    });

    it('B8: drain calls back once nothing is in flight', () => {
      const request = new FakeRequest('write', 0, [[fixture.buffers, 4096]]);
      fixture.backend.submit(request);
      let drained = false;
      fixture.backend.drain(() => {
        drained = true;
        expect(request.result).toBe(BLK_OK);
        expect(fixture.backend.inFlight).toBe(0);
      });
      fixture.settle();
      expect(drained).toBe(true);
      let again = false;
      fixture.backend.drain(() => (again = true));
      expect(again).toBe(true);
    });

    it('discards where it says it can', () => {
      expect(run('discard', 0, [], 8192)).toBe(fixture.backend.canDiscard ? BLK_OK : ENOTSUP);
    });

    it('plugged requests start at the latest when it is unplugged', () => {
      const { backend } = fixture;
      backend.plug();
      backend.plug();
      const request = new FakeRequest('write', 0, [[fixture.buffers, SECTOR]]);
      backend.submit(request);
      backend.unplug();
      backend.unplug();
      fixture.settle();
      expect(request.result).toBe(BLK_OK);
    });

    it('keeps what was written, whatever the pieces, against a plain array', () => {
      const random = randomSource(20260722);
      const model = new Uint8Array(DISK);
      for (let step = 0; step < 400; step++) {
        const sectors = 1 + random(random(8) === 0 ? 256 : 24);
        const start = random(DISK / SECTOR - sectors + 1) * SECTOR;
        const bytes = sectors * SECTOR;
        const kind = (['read', 'read', 'write', 'write', 'write-zeroes', 'discard'] as const)[random(6)];
        if (kind === 'discard' || kind === undefined) {
          if (!fixture.backend.canDiscard) continue;
          expect(run('discard', start, [], bytes)).toBe(BLK_OK);
          // What a discarded range reads as is open until it is written.
          expect(run('write-zeroes', start, [], bytes)).toBe(BLK_OK);
          model.fill(0, start, start + bytes);
          continue;
        }
        if (kind === 'write-zeroes') {
          expect(run('write-zeroes', start, [], bytes)).toBe(BLK_OK);
          model.fill(0, start, start + bytes);
          continue;
        }
        const pieces = cut(random, bytes);
        if (kind === 'write') {
          const content = Uint8Array.from({ length: bytes }, () => random(256));
          let at = 0;
          for (const [addr, length] of pieces) {
            buffer(addr, length).set(content.subarray(at, at + length));
            at += length;
          }
          expect(run('write', start, pieces)).toBe(BLK_OK);
          model.set(content, start);
        } else {
          expect(run('read', start, pieces)).toBe(BLK_OK);
          let at = start;
          for (const [addr, length] of pieces) {
            expect(
              Buffer.compare(buffer(addr, length), model.subarray(at, at + length)),
              `step ${step}`,
            ).toBe(0);
            at += length;
          }
        }
      }
    });

    it('hands the bytes over to the next owner', async () => {
      buffer(0, 4096).fill(0x5a);
      expect(run('write', 8192, [[0, 4096]])).toBe(BLK_OK);
      expect(await settled(fixture, fixture.backend.detach())).toBe(BLK_OK);
      if (fixture.reopen === undefined) return;
      const next = fixture.reopen();
      expect(await settled(fixture, next.attach(fixture.aio))).toBe(BLK_OK);
      const request = new FakeRequest('read', 8192, [[fixture.buffers + 8192, 4096]]);
      next.submit(request);
      fixture.settle();
      expect(request.result).toBe(BLK_OK);
      expect(buffer(8192, 4096).every((byte) => byte === 0x5a)).toBe(true);
    });

    it('B6: detach makes durable, unless the disk only changes hands', async () => {
      expect(run('write', 0, [[0, 4096]])).toBe(BLK_OK);
      const before = fixture.flushes?.();
      expect(await settled(fixture, fixture.backend.detach(false))).toBe(BLK_OK);
      if (before !== undefined) expect(fixture.flushes?.()).toBe(before);
      expect(await settled(fixture, fixture.backend.attach(fixture.aio))).toBe(BLK_OK);
      expect(run('write', 0, [[0, 4096]])).toBe(BLK_OK);
      const again = fixture.flushes?.();
      expect(await settled(fixture, fixture.backend.detach())).toBe(BLK_OK);
      if (again !== undefined) expect(fixture.flushes?.()).toBe(again + 1);
    });

    it('grows: the new part is zeroes, and onResize tells', async () => {
      const { backend } = fixture;
      let told = 0;
      backend.onResize = () => (told += 1);
      expect(await settled(fixture, backend.resize(DISK + 100))).toBe(EINVAL);
      expect(await settled(fixture, backend.resize(2 * DISK))).toBe(BLK_OK);
      expect(told).toBe(1);
      expect(backend.bytes).toBe(2 * DISK);
      buffer(0, 4096).fill(1);
      expect(run('read', 2 * DISK - 4096, [[0, 4096]])).toBe(BLK_OK);
      expect(buffer(0, 4096).every((byte) => byte === 0)).toBe(true);
      expect(run('read', 2 * DISK, [[0, 4096]])).toBe(EINVAL);
    });
  });
}

/** Cuts a range into pieces at places that neither touch nor overlap, sometimes absurdly small. */
function cut(random: (below: number) => number, bytes: number): [addr: number, length: number][] {
  const pieces: [number, number][] = [];
  const largest = [bytes, 4096, 1000, 3][random(bytes <= 4096 ? 4 : 3)] as number;
  let addr = random(64);
  for (let left = bytes; left > 0; ) {
    const length = Math.min(left, largest === bytes ? bytes : 1 + random(largest));
    pieces.push([addr, length]);
    addr += length + 1 + random(8);
    left -= length;
  }
  return pieces;
}
