import { expect, it } from 'vitest';
import { BootRom } from './boot-rom.ts';
import type { MmioDevice } from './mmio.ts';
import { MmioBus } from './mmio.ts';

function recorder(accessSizes: number) {
  const log: string[] = [];
  const device: MmioDevice = {
    accessSizes,
    read: (offset, size) => {
      log.push(`r${size}@${offset}`);
      return offset === 4 ? 0xffff_ffff : 0x1234;
    },
    write: (offset, size, value) => void log.push(`w${size}@${offset}=${value.toString(16)}`),
  };
  return { device, log };
}

it('decodes to the device and the offset in it', () => {
  const bus = new MmioBus();
  const a = recorder(4);
  const b = recorder(1);
  bus.map(0x1000, 0x10, a.device);
  bus.map(0x1010, 0x10, b.device);
  expect(bus.read(0x100c, 4)).toBe(0x1234);
  expect(bus.write(0x1010, 1, 0xff, 0)).toBe(true);
  expect(bus.read(0x1000, 4)).toBe(0x1234);
  expect(a.log).toEqual(['r4@12', 'r4@0']);
  expect(b.log).toEqual(['w1@0=ff']);
});

it('faults where nothing is, on widths the device lacks, on misaligned and straddling accesses', () => {
  const bus = new MmioBus();
  const { device, log } = recorder(2 | 4);
  bus.map(0x1000, 0x10, device);
  for (const [addr, size] of [
    [0xfff, 1],
    [0x1010, 4],
    [0x2000, 4],
    [0x1000, 1],
    [0x1000, 8],
    [0x1001, 2],
    [0x1002, 4],
    [0xffe, 4],
    [0x100e, 4],
  ] as const) {
    expect(bus.read(addr, size), `read ${size} at ${addr.toString(16)}`).toBeUndefined();
    expect(bus.write(addr, size, 0, 0)).toBe(false);
  }
  expect(log).toEqual([]);
});

it('splits 8 bytes into two accesses, low word first, and keeps all 64 bits', () => {
  const bus = new MmioBus();
  const { device, log } = recorder(4 | 8);
  bus.map(0, 0x10, device);
  expect(bus.read(0, 8)).toBe(0xffff_ffff_0000_1234n);
  expect(bus.read(8, 8)).toBe(0x1234 * 2 ** 32 + 0x1234);
  bus.write(8, 8, 1, 2);
  expect(log).toEqual(['r4@0', 'r4@4', 'r4@8', 'r4@12', 'w4@8=1', 'w4@12=2']);
});

it('refuses overlapping regions', () => {
  const bus = new MmioBus();
  bus.map(0x1000, 0x100, recorder(4).device);
  expect(() => bus.map(0x10ff, 1, recorder(4).device)).toThrow('overlap');
});

it('a boot ROM reads little-endian and ignores writes', () => {
  const bus = new MmioBus();
  bus.map(0, 0x100, new BootRom(Uint8Array.of(1, 2, 3, 0xff)));
  bus.write(0, 4, 0, 0);
  expect(bus.read(0, 4)).toBe(0xff03_0201);
  expect(bus.read(0, 8)).toBe(0xff03_0201);
  expect(bus.read(2, 1)).toBe(3);
});
