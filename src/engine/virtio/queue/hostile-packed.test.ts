import { describe, expect, it } from 'vitest';
import { TRACE } from '../../trace/schema.ts';
import { VirtioFault } from '../fault.ts';
import { DESC_BYTES, DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE, STATUS_NEEDS_RESET } from '../spec.ts';
import { BlkMachine, pattern } from '../testing/blk-machine.ts';
import { FakePackedQueue } from '../testing/fake-packed-queue.ts';
import { RAM_BASE } from '../testing/test-machine.ts';

const SIZE = 6; // packed queues need not be a power of two
const RAM_BYTES = 32 * 1024 * 1024;
const RAM_END = RAM_BASE + RAM_BYTES;
const AVAIL = 1 << 7;

type Slot = readonly [addr: number | bigint, length: number, flags: number];

/** Writes slots from the start of a fresh ring and makes them available. */
function show(ring: FakePackedQueue, slots: readonly Slot[]): void {
  for (const [i, [addr, length, flags]] of slots.entries()) {
    const at = ring.desc + i * DESC_BYTES;
    ring.writeDesc(at, addr, length, i);
    ring.guest.setU16(at + 14, flags | AVAIL);
  }
}

const ATTACKS: readonly (readonly [
  name: string,
  fault: VirtioFault,
  slots: (m: BlkMachine, ring: FakePackedQueue) => readonly Slot[],
])[] = [
  [
    'a chain that never ends',
    VirtioFault.ChainLoop,
    (m) => Array.from({ length: SIZE }, () => [m.guest.alloc(16), 16, DESC_F_NEXT] as const),
  ],
  ['a descriptor of length zero', VirtioFault.ZeroLength, () => [[RAM_BASE, 0, 0]]],
  ['a buffer beyond RAM', VirtioFault.BufferOutsideRam, () => [[RAM_END - 1, 2, 0]]],
  ['a buffer that wraps', VirtioFault.BufferOutsideRam, () => [[0xffff_ffff_ffff_ffffn, 2, 0]]],
  [
    'readable after writable',
    VirtioFault.ReadableAfterWritable,
    () => [
      [RAM_BASE, 16, DESC_F_WRITE | DESC_F_NEXT],
      [RAM_BASE, 16, 0],
    ],
  ],
  ['an empty indirect table', VirtioFault.IndirectLength, () => [[RAM_BASE, 0, DESC_F_INDIRECT]]],
  ['a crooked indirect table', VirtioFault.IndirectLength, () => [[RAM_BASE, 17, DESC_F_INDIRECT]]],
  ['an indirect table beyond RAM', VirtioFault.IndirectOutsideRam, () => [[RAM_END, 16, DESC_F_INDIRECT]]],
  [
    'an indirect table with NEXT',
    VirtioFault.IndirectWithNext,
    () => [[RAM_BASE, 16, DESC_F_INDIRECT | DESC_F_NEXT]],
  ],
  [
    'an indirect table after a direct descriptor',
    VirtioFault.IndirectAfterDirect,
    () => [
      [RAM_BASE, 16, DESC_F_NEXT],
      [RAM_BASE, 16, DESC_F_INDIRECT],
    ],
  ],
  [
    'an indirect table in an indirect table',
    VirtioFault.IndirectNested,
    (m, ring) => {
      const table = m.guest.alloc(16);
      ring.writeDesc(table, table, 16, 0);
      m.guest.setU16(table + 14, DESC_F_INDIRECT);
      return [[table, 16, DESC_F_INDIRECT]];
    },
  ],
  [
    'more than 1024 descriptors',
    VirtioFault.TooManySegments,
    (m, ring) => {
      const table = m.guest.alloc(1025 * 16);
      for (let i = 0; i < 1025; i++) ring.writeDesc(table + i * 16, RAM_BASE, 16, 0);
      return [[table, 1025 * 16, DESC_F_INDIRECT]];
    },
  ],
  [
    'more than 2^32 bytes',
    VirtioFault.ChainTooLong,
    (m, ring) => {
      const table = m.guest.alloc(300 * 16);
      for (let i = 0; i < 300; i++) ring.writeDesc(table + i * 16, RAM_BASE, 16 * 1024 * 1024, 0);
      return [[table, 300 * 16, DESC_F_INDIRECT]];
    },
  ],
  ['a short header', VirtioFault.HeaderTooShort, () => [[RAM_BASE, 8, 0]]],
  ['no status byte', VirtioFault.StatusMissing, () => [[RAM_BASE, 16, 0]]],
];

describe('a hostile driver of a packed ring', () => {
  it.each(ATTACKS)('%s: the device needs a reset, and works after it', (_name, fault, slots) => {
    const m = new BlkMachine({ ramBytes: RAM_BYTES, transport: { packed: true } }).boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakePackedQueue;
    const before = m.guest.bytes(ring.desc, SIZE * DESC_BYTES);
    show(ring, slots(m, ring));
    const written = before.slice();
    m.driver.setReg(0x50, 0);
    m.run();
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([[m.env.dev, 0, fault]]);
    expect(m.driver.interrupt()).toEqual({ used: false, config: true });
    expect(m.guest.bytes(ring.desc, SIZE * DESC_BYTES)).toEqual(written); // Q5
    expect(m.disk.log).toEqual([]);
    m.boot({ queueSize: SIZE });
    expect(m.driver.status & STATUS_NEEDS_RESET).toBe(0);
    const write = m.addWrite(0, pattern(512));
    expect(m.turn()).toEqual([{ token: write.token, length: 1 }]);
  });

  it('slots made available again while their buffers are in flight', () => {
    const m = new BlkMachine({ transport: { packed: true } }).boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakePackedQueue;
    m.disk.manual = true;
    m.addRead(0, 512);
    m.addRead(100, 512);
    m.driver.kick();
    m.run();
    expect(m.dataPlane().inFlight).toBe(2);
    // All six slots are taken; the driver shows slot 0 under the next wrap counter.
    ring.writeDesc(ring.desc, RAM_BASE, 16, 0);
    m.guest.setU16(ring.desc + 14, ring.availFlags(false));
    m.driver.setReg(0x50, 0);
    m.run();
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([[m.env.dev, 0, VirtioFault.InFlightExceeded]]);
  });

  it('buffer ids are the driver’s business: any 16 bits come back as they are', () => {
    const m = new BlkMachine({ transport: { packed: true } }).boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakePackedQueue;
    const header = m.guest.alloc(16);
    m.guest.bytes(header, 16).fill(0);
    m.guest.setU32(header, 4); // flush
    const status = m.guest.alloc(1);
    show(ring, [
      [header, 16, DESC_F_NEXT],
      [status, 1, DESC_F_WRITE],
    ]);
    m.guest.setU16(ring.desc + DESC_BYTES + 12, 0xbeef);
    m.driver.setReg(0x50, 0);
    m.run();
    expect(m.guest.u16(ring.desc + 12)).toBe(0xbeef);
    expect(m.guest.u32(ring.desc + 8)).toBe(1);
  });
});
