import { expect, it } from 'vitest';
import { guestAddr, memAddr } from './brands.ts';
import { GuestRam } from './guest-ram.ts';

const ram = new GuestRam({ base: guestAddr(0x8000_0000), bytes: 0x1000, offset: memAddr(0x2_0000) });

it.each([
  [0x8000_0000, 0, 1, 0x2_0000],
  [0x8000_0000, 0, 0x1000, 0x2_0000],
  [0x8000_0fff, 0, 1, 0x2_0fff],
  [0x8000_0000, 0, 0x1001, -1],
  [0x8000_0fff, 0, 2, -1],
  [0x8000_1000, 0, 1, -1],
  [0x7fff_ffff, 0, 1, -1],
  [0x7fff_ffff, 0, 2, -1],
  [0, 0, 0xffff_ffff, -1],
  [0x8000_0000, 1, 1, -1],
  [0xffff_ffff, 0xffff_ffff, 1, -1],
  [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, -1],
])('%#x with high word %i, %i bytes: %i', (low, high, length, offset) => {
  expect(ram.translate(low, high, length)).toBe(offset);
  expect(ram.offsetOf(high * 2 ** 32 + low, length)).toBe(offset);
});
