import { describe, expect, it } from 'vitest';
import { TRACE } from '../../trace/schema.ts';
import { MMIO, VIRTIO_F_RING_INDIRECT_DESC } from '../spec.ts';
import { BlkMachine, pattern, sameBytes } from '../testing/blk-machine.ts';
import { TestRandom } from '../testing/random.ts';
import { RAM_BASE } from '../testing/test-machine.ts';

const RAM_BYTES = 256 * 1024;
const SIZE = 16;
const SEEDS = 500;

/** A hash of all memory outside guest RAM and the device's slot, which no guest may change. */
function outside(m: BlkMachine): string {
  const ramAt = m.ram.range.offset;
  let sum = 0;
  let product = 1;
  const add = (from: number, to: number): void => {
    for (let at = from; at < to; at += 4) {
      const word = m.mem.u32[at >>> 2] as number;
      sum = (sum + word) >>> 0;
      product = (Math.imul(product, 31) + word) >>> 0;
    }
  };
  add(0, 0x1000);
  add(ramAt + RAM_BYTES, m.mem.byteLength);
  return `${sum} ${product}`;
}

/** An address a driver might give: mostly in RAM, often at an edge, sometimes anywhere. */
function address(random: TestRandom): bigint {
  switch (random.below(8)) {
    case 0:
      return BigInt(RAM_BASE + RAM_BYTES - random.below(32));
    case 1:
      return BigInt(RAM_BASE - random.below(32));
    case 2:
      return (BigInt(random.u32()) << 32n) | BigInt(random.u32());
    case 3:
      return 0xffff_ffff_ffff_ffffn - BigInt(random.below(5000));
    default:
      return BigInt(RAM_BASE + random.below(RAM_BYTES));
  }
}

const length = (random: TestRandom): number =>
  random.pick([0, 1, 15, 16, 16, 17, 32, 48, 512, 512, 513, 4096, 65536, 0xffff_fff0, random.u32()]);

/** Adds a request that is in order, as far as its ring is. */
function addRequest(m: BlkMachine, random: TestRandom): void {
  const bytes = random.pick([0, 512, 512, 4096, 700]);
  const type = random.pick([0, 0, 1, 1, 4, 8, 11, 13, 99]);
  const pieces = random.pick([4096, 512, 100]);
  const data = bytes === 0 ? [] : m.buffer(bytes, type === 0 || type === 8, pieces);
  if (m.driver.queue().free < data.length + 2) return;
  const sector = random.chance(6) ? random.u32() : random.below(128);
  m.add(type, sector, data, { indirect: random.chance(3) });
}

/** Spoils one field of one descriptor, in the ring or in an indirect table. */
function spoilDescriptor(m: BlkMachine, random: TestRandom, table: number, entries: number): void {
  const at = table + random.below(entries) * 16;
  switch (random.below(4)) {
    case 0:
      m.guest.setU64(at, address(random));
      break;
    case 1:
      m.guest.setU32(at + 8, length(random));
      break;
    case 2:
      m.guest.setU16(at + 12, m.guest.u16(at + 12) ^ (1 << random.below(16)));
      break;
    default:
      m.guest.setU16(
        at + 14,
        random.chance(2) ? random.below(SIZE) : m.guest.u16(at + 14) ^ (1 << random.below(16)),
      );
  }
}

describe.each([
  ['split', false],
  ['packed', true],
] as const)('spoilt rings (%s)', (_name, packed) => {
  it(`never throw, hang, or write outside RAM (${SEEDS} seeds)`, () => {
    const kinds = new Set<number>();
    let served = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new TestRandom(seed + (packed ? 10_000 : 0));
      const m = new BlkMachine({
        ramBytes: RAM_BYTES,
        diskBytes: 64 * 1024,
        transport: { packed, eventIdx: !random.chance(3) },
        config: { requestMerging: !random.chance(4), writeCache: !random.chance(4), werror: 'report' },
      }).boot({ queueSize: SIZE, refuse: random.chance(8) ? VIRTIO_F_RING_INDIRECT_DESC : 0n });
      m.mem.bytes(m.ram.range.offset + RAM_BYTES, 0x1000).fill(0xa5);
      const before = outside(m);
      const ring = m.driver.queue();
      const tablesFrom = m.guest.alloc(16);
      for (let round = 0; round < 6; round++) {
        for (let i = random.below(4); i >= 0; i--) addRequest(m, random);
        for (let i = random.below(3); i > 0; i--) {
          if (random.chance(2)) spoilDescriptor(m, random, ring.desc, SIZE);
          // Headers, indirect tables and data lie here, one behind the other.
          else spoilDescriptor(m, random, tablesFrom, 64);
          if (!packed && random.chance(4)) {
            m.guest.setU16(ring.driver + 4 + 2 * random.below(SIZE), random.below(SIZE + 2));
          }
        }
        m.driver.queue().publish();
        if (!packed && random.chance(12)) m.guest.setU16(ring.driver + 2, random.u32() & 0xffff);
        m.driver.setReg(MMIO.QueueNotify, random.below(8) === 0 ? 1 : 0);
        m.loops[0]?.run(200);
      }
      expect(outside(m), `seed ${seed} wrote outside RAM`).toBe(before);
      for (const args of m.tracer.of(TRACE.virtio_error)) kinds.add(args[2] as number);
      served += m.tracer.of(TRACE.virtio_blk_req_complete).length;
      // Whatever it was, a reset ends it.
      m.driver.reset();
      expect(m.driver.status).toBe(0);
      expect(m.handlers[0]).toBeUndefined();
    }
    // The attacks reach every depth: many requests are served, and many kinds of fault are met.
    expect(served).toBeGreaterThan(SEEDS * 3);
    expect(kinds.size).toBeGreaterThanOrEqual(packed ? 9 : 12);
  });
});

describe.each([
  ['split', false],
  ['packed', true],
] as const)('random requests of a lawful driver (%s)', (_name, packed) => {
  it('each comes back exactly once, with the right bytes and length', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new TestRandom(seed + (packed ? 500 : 0));
      const m = new BlkMachine({
        ramBytes: 8 * 1024 * 1024,
        transport: { packed, indirect: random.chance(2), eventIdx: random.chance(2) },
        config: { numQueues: 2, requestMerging: random.chance(2), writeCache: random.chance(2) },
      });
      m.boot({ queueSize: random.pick([4, 8, 16, 64]) });
      const indirect = (m.driver.features & VIRTIO_F_RING_INDIRECT_DESC) !== 0n;
      const expected = m.disk.data.slice();
      const busy = new Set<number>();
      const open = [0, 1].map(
        () => new Map<number, { blocks: number[]; read: boolean; data: number; bytes: number }>(),
      );
      let issued = 0;
      let returned = 0;
      m.disk.manual = random.chance(2);
      const reap = (queue: number): void => {
        for (const { token, length: written } of m.driver.queue(queue).takeUsed()) {
          const entry = open[queue]?.get(token);
          expect(entry, `seed ${seed}: a buffer came back twice`).toBeDefined();
          if (entry === undefined) return;
          open[queue]?.delete(token);
          returned += 1;
          for (const block of entry.blocks) busy.delete(block);
          expect(written).toBe(entry.read ? entry.bytes + 1 : 1);
          if (entry.read) {
            const at = (entry.blocks[0] ?? 0) * 512;
            const got = m.guest.bytes(entry.data, entry.bytes);
            expect(sameBytes(got, expected.subarray(at, at + entry.bytes)), `seed ${seed}`).toBe(true);
          }
        }
      };
      while (issued < 250) {
        const queue = random.below(2);
        const ring = m.driver.queue(queue);
        for (let i = random.below(6); i >= 0; i--) {
          const count = 1 + random.below(8);
          const first = random.below(2000);
          const blocks = Array.from({ length: count }, (_, k) => first + k);
          if (blocks.some((block) => busy.has(block))) continue;
          const bytes = count * 512;
          const throughTable = indirect && random.chance(2);
          const pieces = random.pick([bytes, 512, 1000]);
          if (ring.free < (throughTable ? 1 : Math.ceil(bytes / pieces) + 2)) break;
          const read = random.chance(2);
          const content = pattern(bytes, issued);
          const options = { queue, indirect: throughTable, pieces };
          const request = read ? m.addRead(first, bytes, options) : m.addWrite(first, content, options);
          if (!read) expected.set(content, first * 512);
          for (const block of blocks) busy.add(block);
          open[queue]?.set(request.token, { blocks, read, data: request.data, bytes });
          issued += 1;
        }
        m.driver.kick(queue);
        if (random.chance(3)) ring.wantInterrupts(random.pick(['none', 'next', 3] as const));
        m.run();
        while (m.disk.held.length > 0 && !random.chance(4)) m.disk.finish(random.below(m.disk.held.length));
        m.run();
        reap(random.below(2));
      }
      for (let i = 0; open.some((map) => map.size > 0) && i < 50; i++) {
        m.disk.finishAll();
        m.run();
        reap(0);
        reap(1);
      }
      expect(returned).toBe(issued);
      expect(sameBytes(m.disk.data, expected)).toBe(true);
      expect(m.tracer.of(TRACE.virtio_error)).toEqual([]);
    }
  });
});
