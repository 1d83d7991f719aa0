import { describe, expect, it } from 'vitest';
import { BLK_OK, type BlockResult, EIO, ENOSPC, ENOTSUP } from '../../block/block-backend.ts';
import { TRACE } from '../../trace/schema.ts';
import { VirtQueueLayout, virtQueueAddr } from '../layout.ts';
import { MMIO } from '../spec.ts';
import { BlkMachine, type PendingRequest, pattern } from '../testing/blk-machine.ts';
import type { OnError } from './config.ts';
import { blockErrorAction } from './data-plane.ts';
import {
  BLK_CONFIG,
  VIRTIO_BLK_F_CONFIG_WCE,
  VIRTIO_BLK_F_DISCARD,
  VIRTIO_BLK_F_FLUSH,
  VIRTIO_BLK_F_MQ,
  VIRTIO_BLK_F_RO,
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_S_UNSUPP,
  VIRTIO_BLK_T_DISCARD,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
  VIRTIO_BLK_T_WRITE_ZEROES,
} from './spec.ts';

/** A discard or write-zeroes request. */
function addRange(
  m: BlkMachine,
  type: number,
  sector: number | bigint,
  sectors: number,
  flags = 0,
  ranges = 1,
): PendingRequest {
  const data = m.buffer(16 * ranges, false);
  const addr = data[0]?.addr as number;
  for (let i = 0; i < ranges; i++) {
    m.guest.setU64(addr + 16 * i, sector);
    m.guest.setU32(addr + 16 * i + 8, sectors);
    m.guest.setU32(addr + 16 * i + 12, flags);
  }
  return m.add(type, 0, data);
}

/** Status and used length of one request. */
function outcome(m: BlkMachine, request: PendingRequest): [status: number, length: number] {
  const used = m.turn();
  expect(used.map((entry) => entry.token)).toEqual([request.token]);
  return [m.statusOf(request), used[0]?.length ?? -1];
}

describe('requests that are refused by status', () => {
  it('a write to a read-only disk', () => {
    const m = new BlkMachine({ readOnly: true }).boot();
    expect(m.driver.offered() & VIRTIO_BLK_F_RO).not.toBe(0n);
    expect(outcome(m, m.addWrite(0, pattern(512)))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, addRange(m, VIRTIO_BLK_T_DISCARD, 0, 1))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, addRange(m, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, m.addRead(0, 512))).toEqual([VIRTIO_BLK_S_OK, 513]);
    expect(m.disk.log).toHaveLength(1);
  });

  it.each([2, 3, 5, 9, 10, 14, 99, 0xffff_ffff, 0x8000_0000])('type %i', (type) => {
    const m = new BlkMachine().boot();
    expect(outcome(m, m.add(type, 0, []))).toEqual([VIRTIO_BLK_S_UNSUPP, 1]);
  });

  it.each([
    ['a sector beyond the end', 2048, 512],
    ['a range across the end', 2047, 1024],
    ['a sector of which sector × 512 passes 2^64', 0xffff_ffff_ffff_ffffn, 512],
    ['a sector of which sector × 512 wraps to 0 in 64 bits', 0x80_0000_0000_0000n, 512],
    ['sector + length that wraps', 0x7f_ffff_ffff_ffffn, 4096],
    ['a length that is not a multiple of 512', 0, 511],
    ['a length of one byte', 0, 1],
  ])('%s', (_name, sector, bytes) => {
    const m = new BlkMachine().boot();
    const data = m.buffer(bytes, true);
    // What was not read was not written to the guest: length 0.
    expect(outcome(m, m.add(VIRTIO_BLK_T_IN, sector, data))).toEqual([VIRTIO_BLK_S_IOERR, 0]);
    const from = m.buffer(bytes, false);
    expect(outcome(m, m.add(VIRTIO_BLK_T_OUT, sector, from))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(m.disk.log).toEqual([]);
  });

  it('what is not whole logical blocks', () => {
    const m = new BlkMachine({ config: { logicalBlockSize: 4096, physicalBlockSize: 4096 } }).boot();
    expect(m.driver.reg(MMIO.Config + BLK_CONFIG.blk_size)).toBe(4096);
    expect(outcome(m, m.addRead(8, 4096))).toEqual([VIRTIO_BLK_S_OK, 4097]);
    expect(outcome(m, m.addRead(1, 4096))).toEqual([VIRTIO_BLK_S_IOERR, 0]);
    expect(outcome(m, m.addRead(8, 512))).toEqual([VIRTIO_BLK_S_IOERR, 0]);
  });

  it('data in the wrong direction', () => {
    const m = new BlkMachine().boot();
    expect(outcome(m, m.add(VIRTIO_BLK_T_IN, 0, m.buffer(512, false)))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, m.add(VIRTIO_BLK_T_OUT, 0, m.buffer(512, true)))).toEqual([VIRTIO_BLK_S_IOERR, 0]);
    expect(m.disk.log).toEqual([]);
  });
});

describe('requests without data', () => {
  it('a transfer of nothing is done at once', () => {
    const m = new BlkMachine().boot();
    expect(outcome(m, m.add(VIRTIO_BLK_T_IN, 0, []))).toEqual([VIRTIO_BLK_S_OK, 1]);
    expect(outcome(m, m.add(VIRTIO_BLK_T_OUT, 2048, []))).toEqual([VIRTIO_BLK_S_OK, 1]);
    expect(m.disk.log).toEqual([]);
  });

  it('a serial of 20 characters has no terminator; a short buffer gets its beginning', () => {
    const m = new BlkMachine({ config: { serial: 'abcdefghijklmnopqrstuvwxyz' } }).boot();
    const full = m.addGetId(20);
    expect(outcome(m, full)).toEqual([VIRTIO_BLK_S_OK, 21]);
    expect(String.fromCharCode(...m.dataOf(full))).toBe('abcdefghijklmnopqrst');
    const short = m.addGetId(4);
    expect(outcome(m, short)).toEqual([VIRTIO_BLK_S_OK, 5]);
    expect(String.fromCharCode(...m.dataOf(short))).toBe('abcd');
    const long = m.addGetId(24);
    expect(outcome(m, long)).toEqual([VIRTIO_BLK_S_OK, 25]);
    expect(String.fromCharCode(...m.dataOf(long))).toBe('abcdefghijklmnopqrst\0\0\0\0');
  });
});

describe('discard and write zeroes', () => {
  it('reach the backend as one range', () => {
    const m = new BlkMachine().boot();
    m.disk.data.fill(7);
    expect(outcome(m, addRange(m, VIRTIO_BLK_T_WRITE_ZEROES, 2, 3, 1))).toEqual([VIRTIO_BLK_S_OK, 1]);
    expect(outcome(m, addRange(m, VIRTIO_BLK_T_DISCARD, 8, 1))).toEqual([VIRTIO_BLK_S_OK, 1]);
    expect(m.disk.log).toEqual([
      { kind: 'write-zeroes', offset: 1024, bytes: 1536 },
      { kind: 'discard', offset: 4096, bytes: 512 },
    ]);
    expect(m.disk.data.subarray(1024, 2560).every((byte) => byte === 0)).toBe(true);
    expect(m.disk.data[2560]).toBe(7);
  });

  it.each([
    ['discard with unmap', VIRTIO_BLK_T_DISCARD, 1, VIRTIO_BLK_S_UNSUPP],
    ['discard with an unknown flag', VIRTIO_BLK_T_DISCARD, 0x8000_0000, VIRTIO_BLK_S_UNSUPP],
    ['write zeroes with an unknown flag', VIRTIO_BLK_T_WRITE_ZEROES, 2, VIRTIO_BLK_S_UNSUPP],
  ])('%s', (_name, type, flags, status) => {
    const m = new BlkMachine().boot();
    expect(outcome(m, addRange(m, type, 0, 1, flags))).toEqual([status, 1]);
    expect(m.disk.log).toEqual([]);
  });

  it.each([VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES])('bad ranges of type %i', (type) => {
    const m = new BlkMachine().boot();
    expect(outcome(m, addRange(m, type, 2047, 2))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, addRange(m, type, 0xffff_ffff_ffff_fffen, 4))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, addRange(m, type, 0, 0xffff_ffff))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, addRange(m, type, 0, 1, 0, 2))).toEqual([VIRTIO_BLK_S_UNSUPP, 1]);
    expect(outcome(m, m.add(type, 0, m.buffer(15, false)))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, m.add(type, 0, []))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(outcome(m, addRange(m, type, 5, 0))).toEqual([VIRTIO_BLK_S_OK, 1]);
    expect(m.disk.log).toEqual([]);
  });

  it('discard is not offered, and not done, where the medium can’t', () => {
    const m = new BlkMachine({ config: { discard: false } }).boot();
    expect(m.driver.offered() & VIRTIO_BLK_F_DISCARD).toBe(0n);
    expect(outcome(m, addRange(m, VIRTIO_BLK_T_DISCARD, 0, 1))).toEqual([VIRTIO_BLK_S_UNSUPP, 1]);
  });

  it('ENOTSUP from the backend is UNSUPP, and no error of the disk', () => {
    const m = new BlkMachine().boot();
    m.disk.fault = () => ENOTSUP;
    expect(outcome(m, addRange(m, VIRTIO_BLK_T_DISCARD, 0, 1))).toEqual([VIRTIO_BLK_S_UNSUPP, 1]);
    expect(m.errors).toEqual([]);
  });
});

describe('Q2 double fetch', () => {
  it('descriptors and header rewritten after they were read change nothing', () => {
    const m = new BlkMachine().boot();
    m.disk.data.set(pattern(512), 0);
    const read = m.addRead(0, 512);
    const ring = m.driver.queue();
    const header = m.guest.u32(ring.desc); // of head 0, low word
    const emit = m.tracer.emit.bind(m.tracer);
    m.tracer.emit = (event: number, ...args: number[]) => {
      const at = emit(event, ...args);
      if (event === TRACE.virtqueue_pop) m.guest.bytes(ring.desc, 48).fill(0xff);
      if (event === TRACE.virtio_blk_handle_read) m.guest.bytes(header, 16).fill(0xff);
      return at;
    };
    expect(outcome(m, read)).toEqual([VIRTIO_BLK_S_OK, 513]);
    expect(m.dataOf(read)).toEqual(pattern(512));
  });
});

describe('merging (K4)', () => {
  it('adjacent reads go to the disk as one and come back as they were asked', () => {
    const m = new BlkMachine().boot();
    m.disk.data.set(pattern(8192), 0);
    const requests = [4, 0, 12, 8].map((sector) => m.addRead(sector, 2048));
    expect(m.turn()).toHaveLength(4);
    expect(m.disk.log).toEqual([{ kind: 'read', offset: 0, bytes: 8192 }]);
    for (const [i, sector] of [4, 0, 12, 8].entries()) {
      const request = requests[i] as PendingRequest;
      expect(m.dataOf(request)).toEqual(pattern(8192).subarray(sector * 512, sector * 512 + 2048));
    }
    expect(m.tracer.of(TRACE.virtio_blk_submit_multireq)).toEqual([[3, expect.any(Number), 4, 8192, 0]]);
    expect(m.rises).toBe(1);
  });

  it('not across a gap, a change of direction, an overlap, or more than 32', () => {
    const m = new BlkMachine().boot();
    m.addWrite(0, pattern(512));
    m.addWrite(2, pattern(512));
    m.addRead(3, 512);
    m.addRead(4, 512);
    m.addRead(4, 512);
    m.turn();
    expect(m.disk.log).toEqual([
      { kind: 'write', offset: 0, bytes: 512 },
      { kind: 'write', offset: 1024, bytes: 512 },
      { kind: 'read', offset: 1536, bytes: 1024 },
      { kind: 'read', offset: 2048, bytes: 512 },
    ]);
    m.disk.log.length = 0;
    for (let i = 0; i < 40; i++) m.addRead(i, 512);
    expect(m.turn()).toHaveLength(40);
    expect(m.disk.log).toEqual([
      { kind: 'read', offset: 0, bytes: 32 * 512 },
      { kind: 'read', offset: 32 * 512, bytes: 8 * 512 },
    ]);
  });

  it('a merged request stays under 1 MiB', () => {
    const m = new BlkMachine({ diskBytes: 4 * 1024 * 1024 }).boot();
    for (let i = 0; i < 3; i++) m.addRead(i * 800, 800 * 512);
    expect(m.turn()).toHaveLength(3);
    expect(m.disk.log.map((entry) => entry.bytes)).toEqual([1600 * 512, 800 * 512]);
  });

  it('request-merging=off submits each in the order it came', () => {
    const m = new BlkMachine({ config: { requestMerging: false } }).boot();
    m.addRead(1, 512);
    m.addRead(0, 512);
    expect(m.turn()).toHaveLength(2);
    expect(m.disk.log.map((entry) => entry.offset)).toEqual([512, 0]);
  });

  it('an error is shared by all that travelled together, and a stopped one keeps its own data', () => {
    const m = new BlkMachine({ config: { werror: 'stop' } }).boot();
    m.disk.fault = () => EIO;
    const first = m.addWrite(0, pattern(512, 1));
    const second = m.addWrite(1, pattern(512, 2));
    expect(m.turn()).toEqual([]);
    expect(m.disk.log).toHaveLength(1);
    expect(m.dataPlane().parkedCount).toBe(2);
    m.disk.fault = () => BLK_OK;
    m.dataPlane().resume();
    m.run();
    expect(m.disk.log.slice(1)).toEqual([
      { kind: 'write', offset: 0, bytes: 512 },
      { kind: 'write', offset: 512, bytes: 512 },
    ]);
    expect(m.disk.data.subarray(0, 512)).toEqual(pattern(512, 1));
    expect(m.disk.data.subarray(512, 1024)).toEqual(pattern(512, 2));
    expect(m.statusOf(first) + m.statusOf(second)).toBe(0);
  });
});

describe('flush and write cache', () => {
  it('K2 a flush goes to the disk after the writes taken before it', () => {
    const m = new BlkMachine().boot();
    m.addWrite(10, pattern(512));
    m.addFlush();
    m.addWrite(0, pattern(512));
    m.turn();
    expect(m.disk.log.map((entry) => entry.kind)).toEqual(['write', 'flush', 'write']);
  });

  it('K3 with the cache off each write is followed by a flush before it is answered', () => {
    const m = new BlkMachine({ config: { writeCache: false } }).boot();
    m.disk.manual = true;
    const write = m.addWrite(0, pattern(512));
    m.driver.kick();
    m.run();
    m.disk.finish();
    m.run();
    expect(m.statusOf(write)).toBe(0xff);
    expect(m.disk.held.map((request) => request.kind)).toEqual(['flush']);
    m.disk.finish();
    m.run();
    expect(m.statusOf(write)).toBe(VIRTIO_BLK_S_OK);
    expect(m.disk.data.subarray(0, 512)).toEqual(pattern(512));
  });

  it('K3 a flush that fails fails the write', () => {
    const m = new BlkMachine({ config: { writeCache: false, werror: 'report' } }).boot();
    m.disk.fault = (request): BlockResult => (request.kind === 'flush' ? EIO : BLK_OK);
    expect(outcome(m, m.addWrite(0, pattern(512)))).toEqual([VIRTIO_BLK_S_IOERR, 1]);
    expect(m.errors).toEqual([
      { dev: 3, queue: 0, operation: 'write', action: 'report', errno: EIO, nospace: false },
    ]);
  });

  it('CONFIG_WCE: the driver switches the cache', () => {
    const m = new BlkMachine().boot();
    m.front.write(MMIO.Config + BLK_CONFIG.writeback, 1, 0);
    m.addWrite(0, pattern(512));
    m.turn();
    expect(m.disk.log.map((entry) => entry.kind)).toEqual(['write', 'flush']);
    m.front.write(MMIO.Config + BLK_CONFIG.writeback, 1, 1);
    m.addWrite(0, pattern(512));
    m.turn();
    expect(m.disk.log).toHaveLength(3);
  });

  it('a driver that accepts neither FLUSH nor CONFIG_WCE gets write-through (5.2.5.1)', () => {
    const m = new BlkMachine().boot({ refuse: VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_CONFIG_WCE });
    m.front.write(MMIO.Config + BLK_CONFIG.writeback, 1, 1);
    m.addWrite(0, pattern(512));
    m.turn();
    expect(m.disk.log.map((entry) => entry.kind)).toEqual(['write', 'flush']);
  });
});

describe('rerror and werror', () => {
  it.each([
    ['report', EIO, 'report'],
    ['ignore', EIO, 'ignore'],
    ['stop', EIO, 'stop'],
    ['enospc', EIO, 'report'],
    ['enospc', ENOSPC, 'stop'],
    ['report', ENOSPC, 'report'],
  ] as const)('policy %s on errno %i: %s', (policy, errno, action) => {
    expect(blockErrorAction(policy, errno)).toBe(action);
  });

  it.each(['report', 'ignore'] as OnError[])('rerror=%s answers at once', (rerror) => {
    const m = new BlkMachine({ config: { rerror } }).boot();
    m.disk.fault = () => EIO;
    const status = rerror === 'report' ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
    const request = m.addRead(0, 512);
    m.turn();
    expect(m.statusOf(request)).toBe(status);
    expect(m.errors.map((report) => [report.operation, report.action])).toEqual([['read', rerror]]);
  });

  it('K5 stopped requests wait for cont, fail again if they must, and end once', () => {
    const m = new BlkMachine({ config: { werror: 'enospc' } }).boot();
    let full = true;
    m.disk.fault = (request) => (full && request.kind === 'write' ? ENOSPC : BLK_OK);
    const write = m.addWrite(0, pattern(512));
    expect(m.turn()).toEqual([]);
    expect(m.errors).toEqual([
      { dev: 3, queue: 0, operation: 'write', action: 'stop', errno: ENOSPC, nospace: true },
    ]);
    const at = virtQueueAddr(m.env.slotAddr, 0) + VirtQueueLayout.at.parked;
    expect(m.mem.load32(at)).toBe(1);
    m.dataPlane().resume();
    m.run();
    expect(m.errors).toHaveLength(2);
    full = false;
    m.dataPlane().resume();
    m.run();
    expect(m.driver.queue().takeUsed()).toEqual([{ token: write.token, length: 1 }]);
    expect(m.mem.load32(at)).toBe(0);
    m.dataPlane().resume();
    m.run();
    expect(m.driver.queue().takeUsed()).toEqual([]);
  });

  it('a reset drops stopped requests without touching the guest', () => {
    const m = new BlkMachine({ config: { werror: 'stop' } }).boot();
    m.disk.fault = () => EIO;
    const write = m.addWrite(0, pattern(512));
    m.turn();
    m.boot();
    expect(m.statusOf(write)).toBe(0xff);
    expect(m.dataPlane().parkedCount).toBe(0);
    m.disk.fault = () => BLK_OK;
    const read = m.addRead(0, 512);
    expect(m.turn()).toEqual([{ token: read.token, length: 513 }]);
  });
});

describe('several queues', () => {
  it('num-queues shows, and each queue answers its own requests', () => {
    const m = new BlkMachine({ config: { numQueues: 4 } }).boot();
    expect(m.driver.offered() & VIRTIO_BLK_F_MQ).toBe(VIRTIO_BLK_F_MQ);
    expect(m.front.read(MMIO.Config + BLK_CONFIG.num_queues, 2)).toBe(4);
    const requests = [0, 1, 2, 3].map((queue) => m.addRead(queue, 512, { queue }));
    for (const queue of [3, 1, 0, 2]) {
      expect(m.turn(queue)).toEqual([{ token: requests[queue]?.token, length: 513 }]);
    }
  });

  it('a driver may set up fewer queues than there are', () => {
    const m = new BlkMachine({ config: { numQueues: 4 } }).boot({ queues: 1 });
    const read = m.addRead(0, 512);
    expect(m.turn()).toEqual([{ token: read.token, length: 513 }]);
    expect(m.device.isServing(1)).toBe(false);
  });
});

describe('asynchronous completion', () => {
  it('K1 in any order, each request once, with one interrupt for those that end together', () => {
    const m = new BlkMachine({ config: { requestMerging: false } }).boot();
    m.disk.manual = true;
    const requests = Array.from({ length: 8 }, (_, i) => m.addRead(i * 10, 512));
    m.driver.kick();
    m.run();
    expect(m.driver.queue().takeUsed()).toEqual([]);
    m.disk.finishAll();
    expect(m.rises).toBe(0); // told by a bottom half, for all at once
    m.run();
    expect(m.rises).toBe(1);
    const tokens = m.driver
      .queue()
      .takeUsed()
      .map((used) => used.token);
    expect(tokens).toEqual(requests.map((request) => request.token).toReversed());
  });
});

describe('live resize', () => {
  it('shows the new capacity, interrupts, and serves the new end', async () => {
    const m = new BlkMachine({ diskBytes: 512 * 8 }).boot();
    m.disk.onResize = () => m.device.changeConfig(m.model.capacityChange(m.disk.bytes));
    await m.disk.resize(512 * 16);
    expect(m.driver.interrupt()).toEqual({ used: false, config: true });
    expect(m.driver.reg(MMIO.Config)).toBe(16);
    expect(outcome(m, m.addRead(15, 512))).toEqual([VIRTIO_BLK_S_OK, 513]);
    expect(outcome(m, m.addRead(16, 512))).toEqual([VIRTIO_BLK_S_IOERR, 0]);
  });
});

describe('counters', () => {
  it('tell requests, bytes, completions, errors and latency', () => {
    const m = new BlkMachine().boot();
    const { latency, reads, writes, bytesRead, bytesWritten, errors, completions } = VirtQueueLayout.at;
    m.disk.fault = () => {
      m.clock.advance(10_000);
      return BLK_OK;
    };
    m.addRead(0, 1024);
    m.addWrite(5, pattern(512));
    m.addRead(9999, 512);
    m.turn();
    const at = virtQueueAddr(m.env.slotAddr, 0);
    expect(
      [reads, writes, bytesRead, bytesWritten, errors, completions].map((f) => m.mem.loadF64(at + f)),
    ).toEqual([1, 1, 1024, 512, 1, 3]);
    let counted = 0;
    for (let i = 0; i < 128; i++) counted += m.mem.load32(at + latency + 4 * i);
    expect(counted).toBe(3);
  });
});
