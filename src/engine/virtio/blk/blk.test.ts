import { describe, expect, it } from 'vitest';
import { TRACE } from '../../trace/schema.ts';
import { MMIO, VIRTIO_F_RING_EVENT_IDX, VIRTIO_F_RING_INDIRECT_DESC } from '../spec.ts';
import { BlkMachine, pattern, sameBytes } from '../testing/blk-machine.ts';
import { VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_OK } from './spec.ts';

const NO_EVENT_IDX = VIRTIO_F_RING_EVENT_IDX;

const RINGS = [
  ['split', {}, 0n],
  ['split without EVENT_IDX', {}, NO_EVENT_IDX],
  ['split without INDIRECT', {}, VIRTIO_F_RING_INDIRECT_DESC],
  ['packed', { packed: true }, 0n],
  ['packed without EVENT_IDX', { packed: true }, NO_EVENT_IDX],
] as const;

describe.each(RINGS)('virtio-blk over a %s ring', (_name, transport, refuse) => {
  const machine = (): BlkMachine => new BlkMachine({ transport }).boot({ refuse, queueSize: 16 });
  const indirect = (refuse & VIRTIO_F_RING_INDIRECT_DESC) === 0n;

  it('reads what is on the disk', () => {
    const m = machine();
    m.disk.data.set(pattern(4096), 8 * 512);
    const request = m.addRead(8, 4096);
    expect(m.turn()).toEqual([{ token: request.token, length: 4097 }]);
    expect(m.statusOf(request)).toBe(VIRTIO_BLK_S_OK);
    expect(m.dataOf(request)).toEqual(pattern(4096));
    expect(m.line).toBe(true);
    expect(m.driver.interrupt()).toEqual({ used: true, config: false });
    expect(m.line).toBe(false);
  });

  it('writes, in pieces of any size, directly and through an indirect table', () => {
    const m = machine();
    const direct = m.addWrite(0, pattern(1536, 2), { pieces: 700 });
    const second = m.addWrite(16, pattern(2048, 3), { pieces: 333, indirect });
    expect(m.turn().map((used) => used.token)).toEqual([direct.token, second.token]);
    expect(m.statusOf(direct)).toBe(VIRTIO_BLK_S_OK);
    expect(m.statusOf(second)).toBe(VIRTIO_BLK_S_OK);
    expect(m.disk.data.subarray(0, 1536)).toEqual(pattern(1536, 2));
    expect(m.disk.data.subarray(8192, 8192 + 2048)).toEqual(pattern(2048, 3));
  });

  it('goes round the ring many times with requests of changing length', () => {
    const m = machine();
    for (let i = 0; i < 300; i++) {
      const bytes = 512 * (1 + (i % 5));
      const written = m.addWrite(i % 100, pattern(bytes, i), { pieces: 512 });
      expect(m.turn()).toEqual([{ token: written.token, length: 1 }]);
      const read = m.addRead(i % 100, bytes, { pieces: 600 });
      expect(m.turn()).toEqual([{ token: read.token, length: bytes + 1 }]);
      expect(sameBytes(m.dataOf(read), pattern(bytes, i))).toBe(true);
      m.driver.interrupt();
    }
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([]);
  });

  it('interrupts once for a batch', () => {
    const m = machine();
    const requests = [m.addRead(0, 512), m.addRead(40, 512), m.addRead(80, 512)];
    expect(m.turn()).toHaveLength(3);
    for (const request of requests) expect(m.statusOf(request)).toBe(VIRTIO_BLK_S_OK);
    expect(m.rises).toBe(1);
    expect(m.tracer.of(TRACE.virtqueue_flush)).toHaveLength(1);
  });

  it('Q3 shows nothing of a batch before all of it', () => {
    const m = new BlkMachine({ transport, config: { requestMerging: false } }).boot({ refuse });
    const seen: number[] = [];
    m.disk.fault = () => {
      seen.push(m.driver.queue().takeUsed().length);
      return 0;
    };
    for (let i = 0; i < 4; i++) m.addRead(i * 9, 512);
    expect(m.turn()).toHaveLength(4);
    expect(seen).toEqual([0, 0, 0, 0]);
  });

  it('flushes, and tells its serial', () => {
    const m = new BlkMachine({ transport, config: { serial: 'QCTX-0001' } }).boot({ refuse });
    const flush = m.addFlush();
    const id = m.addGetId();
    expect(m.turn()).toEqual([
      { token: flush.token, length: 1 },
      { token: id.token, length: 21 },
    ]);
    expect(m.disk.log.map((entry) => entry.kind)).toEqual(['flush']);
    expect(String.fromCharCode(...m.dataOf(id))).toBe('QCTX-0001'.padEnd(20, '\0'));
  });

  it('answers a range beyond the end with IOERR', () => {
    const m = machine();
    const beyond = m.addRead(2047, 1024);
    const huge = m.addRead(Number.MAX_SAFE_INTEGER, 512);
    m.turn();
    expect(m.statusOf(beyond)).toBe(VIRTIO_BLK_S_IOERR);
    expect(m.statusOf(huge)).toBe(VIRTIO_BLK_S_IOERR);
    expect(m.disk.log).toEqual([]);
  });
});

describe('virtio-blk configuration', () => {
  it('shows capacity and block size', () => {
    const m = new BlkMachine({ diskBytes: 3 * 1024 * 1024 }).boot();
    expect(m.driver.reg(MMIO.DeviceID)).toBe(2);
    expect(m.driver.reg(MMIO.Config)).toBe(6144);
    expect(m.driver.reg(MMIO.Config + 4)).toBe(0);
    expect(m.driver.reg(MMIO.Config + 20)).toBe(512);
  });
});
