import type { MmioDevice, MmioSize } from './mmio.ts';

/** Read-only bytes behind the bus; writes are ignored. Data only: harts do not execute from it. */
export class BootRom implements MmioDevice {
  readonly accessSizes = 1 | 2 | 4 | 8;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(offset: number, size: MmioSize): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.#bytes[offset + i] ?? 0);
    return value;
  }

  write(): void {}
}
