import { assert } from '../../base/assert.ts';

/** Width of a device access in bytes. */
export type MmioSize = 1 | 2 | 4;
/** Width of a bus access in bytes. */
export type BusSize = MmioSize | 8;

/**
 * A block of device registers. Executed in the thread of whichever hart touches it, on state in shared
 * memory, so that an access never waits for another thread. Values are unsigned.
 */
export interface MmioDevice {
  /** Widths it answers to, OR of 1, 2, 4 and 8; any other, or a misaligned one, is an access fault. */
  readonly accessSizes: number;
  read(offset: number, size: MmioSize): number;
  write(offset: number, size: MmioSize, value: number): void;
  /**
   * 8-byte registers. A device that accepts 8-byte accesses without these has them as two 4-byte accesses,
   * low word first. A number must be exact (below 2^53).
   */
  read64?(offset: number): number | bigint;
  write64?(offset: number, lo: number, hi: number): void;
}

interface Region {
  readonly base: number;
  readonly end: number;
  readonly device: MmioDevice;
}

/**
 * Decodes physical addresses to devices. One per hart thread; the mapping is fixed before the hart runs.
 * Satisfies the CPU's `HartBus`: `undefined` and `false` mean an access fault.
 */
export class MmioBus {
  readonly #regions: Region[] = [];
  /** Accesses come in runs on one device. */
  #last: Region = { base: 0, end: 0, device: { accessSizes: 0, read: () => 0, write: () => {} } };

  /** Maps `size` bytes at `base`; regions must not overlap. */
  map(base: number, size: number, device: MmioDevice): void {
    const end = base + size;
    for (const region of this.#regions) {
      assert(end <= region.base || base >= region.end, `mmio: overlap at 0x${base.toString(16)}`);
    }
    this.#regions.push({ base, end, device });
  }

  read(addr: number, size: BusSize): number | bigint | undefined {
    const region = this.#find(addr, size);
    if (region === undefined) return undefined;
    const { device } = region;
    const offset = addr - region.base;
    if (size !== 8) return device.read(offset, size);
    if (device.read64) return device.read64(offset);
    const lo = device.read(offset, 4);
    const hi = device.read(offset + 4, 4);
    return hi < 0x20_0000 ? hi * 2 ** 32 + lo : (BigInt(hi) << 32n) | BigInt(lo);
  }

  write(addr: number, size: BusSize, lo: number, hi: number): boolean {
    const region = this.#find(addr, size);
    if (region === undefined) return false;
    const { device } = region;
    const offset = addr - region.base;
    if (size !== 8) {
      device.write(offset, size, lo >>> 0);
    } else if (device.write64) {
      device.write64(offset, lo >>> 0, hi >>> 0);
    } else {
      device.write(offset, 4, lo >>> 0);
      device.write(offset + 4, 4, hi >>> 0);
    }
    return true;
  }

  #find(addr: number, size: BusSize): Region | undefined {
    let region: Region | undefined = this.#last;
    if (addr < region.base || addr + size > region.end) {
      region = this.#regions.find((r) => addr >= r.base && addr + size <= r.end);
      if (region === undefined) return undefined;
      this.#last = region;
    }
    return (region.device.accessSizes & size) !== 0 && addr % size === 0 ? region : undefined;
  }
}
