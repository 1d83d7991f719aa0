import { describe, expect, it } from 'vitest';
import { TRACE } from '../../trace/schema.ts';
import { VirtioFault } from '../fault.ts';
import {
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  STATUS_NEEDS_RESET,
  VIRTIO_F_RING_INDIRECT_DESC,
} from '../spec.ts';
import { BlkMachine, pattern } from '../testing/blk-machine.ts';
import { FakeSplitQueue } from '../testing/fake-split-queue.ts';
import { RAM_BASE } from '../testing/test-machine.ts';

const SIZE = 16;
const RAM_BYTES = 32 * 1024 * 1024;
const RAM_END = RAM_BASE + RAM_BYTES;

/** What a hostile driver does to the ring; `m.driver` is set up with one split queue of 16. */
type Attack = (ring: FakeSplitQueue, m: BlkMachine) => void;

/** Writes one descriptor of the queue's own table. */
const desc = (
  ring: FakeSplitQueue,
  i: number,
  addr: number | bigint,
  length: number,
  flags: number,
  next = 0,
): void => ring.writeDesc(ring.desc, i, addr, length, flags, next);

/** An indirect descriptor at head 0 over a table that `fill` writes; makes it available. */
function indirect(
  ring: FakeSplitQueue,
  m: BlkMachine,
  entries: number,
  fill: (table: number) => void,
  flags = DESC_F_INDIRECT,
): void {
  const table = m.guest.alloc(entries * 16);
  fill(table);
  desc(ring, 0, table, entries * 16, flags);
  ring.pushHead(0);
}

/** A header and a status byte in guest memory. */
function request(m: BlkMachine): { header: number; status: number } {
  const header = m.guest.alloc(16);
  m.guest.bytes(header, 16).fill(0);
  return { header, status: m.guest.alloc(1) };
}

const ATTACKS: readonly (readonly [name: string, fault: VirtioFault, attack: Attack])[] = [
  [
    'available index jumps by more than the size',
    VirtioFault.AvailJump,
    (ring) => {
      ring.availIdx = SIZE + 1;
    },
  ],
  [
    'available index runs backwards',
    VirtioFault.AvailJump,
    (ring) => {
      ring.availIdx = 0xffff;
    },
  ],
  ['head is the size', VirtioFault.HeadOutOfRange, (ring) => ring.pushHead(SIZE)],
  ['head is 65535', VirtioFault.HeadOutOfRange, (ring) => ring.pushHead(0xffff)],
  [
    'next is outside the table',
    VirtioFault.NextOutOfRange,
    (ring, m) => {
      desc(ring, 0, request(m).header, 16, DESC_F_NEXT, SIZE);
      ring.pushHead(0);
    },
  ],
  [
    'a descriptor names itself',
    VirtioFault.ChainLoop,
    (ring, m) => {
      desc(ring, 0, request(m).header, 16, DESC_F_NEXT, 0);
      ring.pushHead(0);
    },
  ],
  [
    'a loop of two',
    VirtioFault.ChainLoop,
    (ring, m) => {
      const { header } = request(m);
      desc(ring, 0, header, 16, DESC_F_NEXT, 1);
      desc(ring, 1, header, 16, DESC_F_NEXT, 0);
      ring.pushHead(0);
    },
  ],
  [
    'an indirect table of length 0',
    VirtioFault.IndirectLength,
    (ring, m) => {
      desc(ring, 0, m.guest.alloc(16), 0, DESC_F_INDIRECT);
      ring.pushHead(0);
    },
  ],
  [
    'an indirect table whose length is not a multiple of 16',
    VirtioFault.IndirectLength,
    (ring, m) => {
      desc(ring, 0, m.guest.alloc(64), 40, DESC_F_INDIRECT);
      ring.pushHead(0);
    },
  ],
  [
    'an indirect table that ends beyond RAM',
    VirtioFault.IndirectOutsideRam,
    (ring) => {
      desc(ring, 0, RAM_END - 16, 32, DESC_F_INDIRECT);
      ring.pushHead(0);
    },
  ],
  [
    'an indirect table at an address that wraps',
    VirtioFault.IndirectOutsideRam,
    (ring) => {
      desc(ring, 0, 0xffff_ffff_ffff_fff0n, 32, DESC_F_INDIRECT);
      ring.pushHead(0);
    },
  ],
  [
    'a nested indirect table',
    VirtioFault.IndirectNested,
    (ring, m) => indirect(ring, m, 2, (table) => ring.writeDesc(table, 0, table, 16, DESC_F_INDIRECT, 0)),
  ],
  [
    'an indirect descriptor with NEXT',
    VirtioFault.IndirectWithNext,
    (ring, m) => indirect(ring, m, 2, () => {}, DESC_F_INDIRECT | DESC_F_NEXT),
  ],
  [
    'a loop inside an indirect table',
    VirtioFault.ChainLoop,
    (ring, m) =>
      indirect(ring, m, 2, (table) => {
        const { header } = request(m);
        ring.writeDesc(table, 0, header, 16, DESC_F_NEXT, 1);
        ring.writeDesc(table, 1, header, 16, DESC_F_NEXT, 0);
      }),
  ],
  [
    'next outside an indirect table',
    VirtioFault.NextOutOfRange,
    (ring, m) =>
      indirect(ring, m, 2, (table) => ring.writeDesc(table, 0, request(m).header, 16, DESC_F_NEXT, 2)),
  ],
  [
    'a readable descriptor after a writable one',
    VirtioFault.ReadableAfterWritable,
    (ring, m) => {
      const { header, status } = request(m);
      desc(ring, 0, status, 1, DESC_F_NEXT | DESC_F_WRITE, 1);
      desc(ring, 1, header, 16, 0);
      ring.pushHead(0);
    },
  ],
  [
    'a descriptor of length zero',
    VirtioFault.ZeroLength,
    (ring, m) => {
      desc(ring, 0, request(m).header, 0, 0);
      ring.pushHead(0);
    },
  ],
  [
    'a buffer below RAM',
    VirtioFault.BufferOutsideRam,
    (ring) => {
      desc(ring, 0, RAM_BASE - 8, 16, 0);
      ring.pushHead(0);
    },
  ],
  [
    'a buffer that ends beyond RAM',
    VirtioFault.BufferOutsideRam,
    (ring) => {
      desc(ring, 0, RAM_END - 15, 16, DESC_F_WRITE);
      ring.pushHead(0);
    },
  ],
  [
    'a buffer whose end wraps to zero',
    VirtioFault.BufferOutsideRam,
    (ring) => {
      desc(ring, 0, 0xffff_ffff_ffff_fff0n, 16, DESC_F_WRITE);
      ring.pushHead(0);
    },
  ],
  [
    'a buffer at an address of which only the low half is in RAM',
    VirtioFault.BufferOutsideRam,
    (ring) => {
      desc(ring, 0, 0x1_0000_0000n + BigInt(RAM_BASE), 16, 0);
      ring.pushHead(0);
    },
  ],
  [
    'more than 1024 descriptors',
    VirtioFault.TooManySegments,
    (ring, m) =>
      indirect(ring, m, 1025, (table) => {
        const { header } = request(m);
        for (let i = 0; i < 1025; i++)
          ring.writeDesc(table, i, header, 16, i < 1024 ? DESC_F_NEXT : 0, i + 1);
      }),
  ],
  [
    'more than 2^32 bytes in all',
    VirtioFault.ChainTooLong,
    (ring, m) =>
      indirect(ring, m, 300, (table) => {
        for (let i = 0; i < 300; i++) {
          ring.writeDesc(table, i, RAM_BASE, 16 * 1024 * 1024, i < 299 ? DESC_F_NEXT : 0, i + 1);
        }
      }),
  ],
  [
    'a header of less than 16 bytes',
    VirtioFault.HeaderTooShort,
    (ring, m) => {
      const { header, status } = request(m);
      desc(ring, 0, header, 15, DESC_F_NEXT, 1);
      desc(ring, 1, status, 1, DESC_F_WRITE);
      ring.pushHead(0);
    },
  ],
  [
    'no status byte',
    VirtioFault.StatusMissing,
    (ring, m) => {
      desc(ring, 0, request(m).header, 16, 0);
      ring.pushHead(0);
    },
  ],
];

describe('a hostile driver of a split ring', () => {
  it.each(ATTACKS)('%s: the device needs a reset, and works after it', (_name, fault, attack) => {
    const m = new BlkMachine({ ramBytes: RAM_BYTES }).boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakeSplitQueue;
    attack(ring, m);
    m.driver.kick();
    m.run();
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([[m.env.dev, 0, fault]]);
    expect(m.driver.status & STATUS_NEEDS_RESET).toBe(STATUS_NEEDS_RESET);
    // 2.1.2: the driver is told by a configuration change.
    expect(m.driver.interrupt()).toEqual({ used: false, config: true });
    // Q5: nothing was returned, no disk was touched.
    expect(m.guest.u16(ring.device + 2)).toBe(0);
    expect(m.disk.log).toEqual([]);
    // A kick changes nothing any more.
    m.driver.setReg(0x50, 0);
    m.run();
    expect(m.guest.u16(ring.device + 2)).toBe(0);
    recovers(m);
  });

  it('more in flight than the ring holds', () => {
    const m = new BlkMachine().boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakeSplitQueue;
    m.disk.manual = true;
    // Sixteen requests through indirect tables, so that every head is in flight.
    for (let i = 0; i < SIZE; i++) m.addRead(i * 100, 512, { indirect: true });
    m.driver.kick();
    m.run();
    expect(m.dataPlane().inFlight).toBe(SIZE);
    ring.pushHead(3);
    m.driver.kick();
    m.driver.setReg(0x50, 0);
    m.run();
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([[m.env.dev, 0, VirtioFault.InFlightExceeded]]);
    m.disk.finishAll();
    m.run();
    recovers(m);
  });

  it('a head made available again while in flight', () => {
    const m = new BlkMachine().boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakeSplitQueue;
    m.disk.manual = true;
    const { token } = m.addRead(0, 512);
    m.driver.kick();
    m.run();
    ring.pushHead(token);
    m.driver.kick();
    m.driver.setReg(0x50, 0);
    m.run();
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([[m.env.dev, 0, VirtioFault.HeadInFlight]]);
    m.disk.finishAll();
    m.run();
    recovers(m);
  });

  it('an indirect descriptor that was not negotiated', () => {
    const m = new BlkMachine().boot({ queueSize: SIZE, refuse: VIRTIO_F_RING_INDIRECT_DESC });
    const ring = m.driver.queue() as FakeSplitQueue;
    indirect(ring, m, 2, () => {});
    m.driver.kick();
    m.run();
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([[m.env.dev, 0, VirtioFault.IndirectNotNegotiated]]);
    recovers(m);
  });

  it('direct descriptors may end in one indirect table (2.7.5.3.2)', () => {
    const m = new BlkMachine().boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakeSplitQueue;
    m.disk.data.set(pattern(512), 0);
    const { header, status } = request(m);
    const data = m.guest.alloc(512);
    const table = m.guest.alloc(32);
    desc(ring, 4, header, 16, DESC_F_NEXT, 9);
    // WRITE means nothing on a descriptor that names a table: the device ignores it.
    desc(ring, 9, table, 32, DESC_F_INDIRECT | DESC_F_WRITE, 0);
    ring.writeDesc(table, 0, data, 512, DESC_F_WRITE | DESC_F_NEXT, 1);
    ring.writeDesc(table, 1, status, 1, DESC_F_WRITE, 0);
    ring.pushHead(4);
    m.driver.kick();
    m.run();
    expect(m.guest.u16(ring.device + 2)).toBe(1);
    expect(m.guest.u32(ring.device + 4)).toBe(4);
    expect(m.guest.bytes(data, 512)).toEqual(pattern(512));
  });

  it('an indirect table need not be aligned', () => {
    const m = new BlkMachine().boot({ queueSize: SIZE });
    const ring = m.driver.queue() as FakeSplitQueue;
    const { header, status } = request(m);
    const table = m.guest.alloc(64) + 3;
    ring.writeDesc(table, 0, header, 16, DESC_F_NEXT, 1);
    ring.writeDesc(table, 1, status, 1, DESC_F_WRITE, 0);
    desc(ring, 0, table, 32, DESC_F_INDIRECT);
    ring.pushHead(0);
    m.driver.kick();
    m.run();
    expect(m.guest.u16(ring.device + 2)).toBe(1);
  });
});

/** Reset and use: the fault left nothing behind. */
function recovers(m: BlkMachine): void {
  m.disk.manual = false;
  m.boot({ queueSize: SIZE });
  expect(m.driver.status & STATUS_NEEDS_RESET).toBe(0);
  m.disk.data.set(pattern(512, 9), 512);
  const read = m.addRead(1, 512);
  expect(m.turn()).toEqual([{ token: read.token, length: 513 }]);
  expect(m.dataOf(read)).toEqual(pattern(512, 9));
}
