import type { MmioDevice, MmioSize } from './mmio.ts';

/** What a guest asked of the test finisher. `code` is the exit status: 0, or what a failing guest gave. */
export type PowerRequest =
  | { readonly kind: 'poweroff' }
  | { readonly kind: 'fail'; readonly code: number }
  | { readonly kind: 'reset' };

const FAIL = 0x3333;
const PASS = 0x5555;
const RESET = 0x7777;

/**
 * SiFive's test finisher, which Linux reaches through syscon-poweroff and syscon-reboot. Stateless; the hart
 * that wrote goes on until `onPower`'s owner stops it.
 */
export class TestFinisher implements MmioDevice {
  readonly accessSizes = 2 | 4;
  readonly #onPower: (request: PowerRequest) => void;

  /** @param onPower called in the hart's thread, in the middle of a store */
  constructor(onPower: (request: PowerRequest) => void) {
    this.#onPower = onPower;
  }

  read(_offset: number, _size: MmioSize): number {
    return 0;
  }

  write(offset: number, _size: MmioSize, value: number): void {
    if (offset !== 0) return;
    switch (value & 0xffff) {
      case FAIL:
        this.#onPower({ kind: 'fail', code: value >>> 16 });
        return;
      case PASS:
        this.#onPower({ kind: 'poweroff' });
        return;
      case RESET:
        this.#onPower({ kind: 'reset' });
        return;
    }
  }
}
