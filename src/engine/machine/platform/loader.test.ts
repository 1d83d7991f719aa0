import { describe, expect, it } from 'vitest';
import { MiB } from '../../base/brands.ts';
import { cellsOf, findNode, readFdt } from './fdt-reader.ts';
import type { KernelImage } from './kernel-image.ts';
import { identifyKernel } from './kernel-image.ts';
import type { BootOptions, BootPlan } from './loader.ts';
import { loadRegions, planBoot } from './loader.ts';
import { elfImage, linuxImage } from './testing/images.ts';
import { testMemory } from './testing/hooked-memory.ts';

function image(bytes: Uint8Array): KernelImage {
  const result = identifyKernel(bytes, 'test');
  if (!result.ok) throw new Error(result.error.desc);
  return result.value;
}
const LINUX = image(linuxImage({ bytes: 1 * MiB, imageSize: 3 * MiB }));
const FIRMWARE = image(Uint8Array.from({ length: 0x4_1234 }, () => 0x13));
const elfAt = (physical: bigint): KernelImage =>
  image(
    elfImage({
      entry: physical,
      segments: [{ virtual: physical, physical, bytes: new Uint8Array(64).fill(0x13), memoryBytes: 4096 }],
    }),
  );

const OPTIONS: BootOptions = {
  firmware: { kind: 'built-in' },
  kernel: LINUX,
  tree: { ramBytes: 256 * MiB, harts: 1, isaExtensions: ['m', 'a'], mmu: 'sv39' },
};
function plan(options: Partial<BootOptions> = {}): BootPlan {
  const result = planBoot({ ...OPTIONS, ...options });
  if (!result.ok) throw new Error(result.error.desc);
  return result.value;
}
const ram = (bytes: number) => ({ tree: { ...OPTIONS.tree, ramBytes: bytes } });
const where = (p: BootPlan) =>
  Object.fromEntries(p.regions.map(({ what, addr }) => [what, addr.toString(16)]));
const refusal = (options: Partial<BootOptions>) => {
  const result = planBoot({ ...OPTIONS, ...options });
  return result.ok ? 'planned' : `${result.error.desc} | ${result.error.hint}`;
};

describe('where things go and how the harts start', () => {
  it('built-in SBI: kernel 2 MiB into RAM in S mode, tree at the end of RAM', () => {
    const p = plan();
    expect(where(p)).toEqual({ kernel: '80200000', dtb: '8fe00000' });
    expect([p.pc, p.mode, p.a1, p.a2, p.rom.length]).toEqual([0x8020_0000, 'S', 0x8fe0_0000, 0, 0]);
  });

  it('-bios FILE: firmware at the start of RAM in M mode, kernel behind it, fw_dynamic_info in the ROM', () => {
    const p = plan({ firmware: { kind: 'file', image: FIRMWARE } });
    expect(where(p)).toEqual({ firmware: '80000000', kernel: '80200000', dtb: '8fe00000' });
    expect([p.pc, p.mode, p.a2]).toEqual([0x8000_0000, 'M', 0x1000]);
    const words = Array.from(new BigUint64Array(p.rom.buffer));
    expect(words).toEqual([0x4942534fn, 2n, 0x8020_0000n, 1n, 0n, 0n]);
  });

  it('-bios FILE without a kernel leaves the next stage to the firmware', () => {
    const { kernel: _none, ...rest } = OPTIONS;
    const result = planBoot({ ...rest, firmware: { kind: 'file', image: FIRMWARE } });
    expect(result.ok && new BigUint64Array(result.value.rom.buffer)[2]).toBe(0n);
  });

  it('large firmware pushes the kernel to the next 2 MiB', () => {
    const large = image(Uint8Array.from({ length: 2 * MiB + 1 }, () => 0x13));
    expect(where(plan({ firmware: { kind: 'file', image: large } }))['kernel']).toBe('80400000');
  });

  it('-bios none: the kernel starts at 0x8000_0000 in M mode', () => {
    const p = plan({ firmware: { kind: 'none' }, kernel: FIRMWARE });
    expect([where(p)['kernel'], p.pc, p.mode, p.a2]).toEqual(['80000000', 0x8000_0000, 'M', 0]);
  });

  it('an ELF file goes where it wants and starts at its entry', () => {
    const p = plan({ firmware: { kind: 'none' }, kernel: elfAt(0x8040_0000n) });
    expect([where(p)['kernel'], p.pc]).toEqual(['80400000', 0x8040_0000]);
  });

  it('initrd 128 MiB behind the kernel, and the tree tells the kernel', () => {
    const p = plan({ initrd: new Uint8Array(5000), ...ram(512 * MiB) });
    expect(where(p)['initrd']).toBe('88200000');
    const blob = p.regions.find((r) => r.what === 'dtb')?.bytes ?? new Uint8Array(0);
    const root = readFdt(blob);
    const chosen = root.ok ? findNode(root.value, '/chosen') : undefined;
    expect(cellsOf(chosen, 'linux,initrd-start')).toEqual([0, 0x8820_0000]);
    expect(cellsOf(chosen, 'linux,initrd-end')).toEqual([0, 0x8820_0000 + 5000]);
  });

  it('initrd moves down to just behind the kernel where RAM is short', () => {
    const p = plan({ initrd: new Uint8Array(6 * MiB), ...ram(16 * MiB) });
    // Kernel with its bss ends at 0x8050_0000.
    expect(where(p)).toEqual({ kernel: '80200000', initrd: '80500000', dtb: '80e00000' });
  });

  it('regions never overlap and lie in RAM, whatever the sizes', () => {
    for (const ramMiB of [16, 17, 24, 63, 64, 256, 1024, 3072]) {
      for (const initrdBytes of [0, 1, 4096, 3 * MiB + 1, 7 * MiB]) {
        const result = planBoot({ ...OPTIONS, initrd: new Uint8Array(initrdBytes), ...ram(ramMiB * MiB) });
        if (!result.ok) continue;
        const sorted = [...result.value.regions].toSorted((a, b) => a.addr - b.addr);
        let end = 0x8000_0000;
        for (const { addr, memoryBytes, what } of sorted) {
          expect(addr, `${what} with ${ramMiB} MiB, initrd ${initrdBytes}`).toBeGreaterThanOrEqual(end);
          end = addr + memoryBytes;
        }
        expect(end).toBeLessThanOrEqual(0x8000_0000 + ramMiB * MiB);
      }
    }
  });
});

describe('what cannot be loaded', () => {
  it('says how much RAM would do', () => {
    const tooLittle = refusal({ initrd: new Uint8Array(20 * MiB), ...ram(16 * MiB) });
    expect(tooLittle).toMatch(
      /^16 MiB of RAM are too few for the files to load \| Give the machine at least -m \d+M\.$/,
    );
    const enough = Number(/-m (\d+)M/.exec(tooLittle)?.[1]);
    expect(planBoot({ ...OPTIONS, initrd: new Uint8Array(20 * MiB), ...ram(enough * MiB) }).ok).toBe(true);
    expect(refusal(ram(2 * MiB))).toMatch(/too few/);
  });

  it('names an address where no RAM is', () => {
    expect(refusal({ kernel: elfAt(0x1_0000n) })).toMatch(
      /kernel wants guest address 0x10000, where .* no RAM/,
    );
  });

  it('names two files that want the same place', () => {
    expect(refusal({ firmware: { kind: 'file', image: FIRMWARE }, kernel: elfAt(0x8000_0000n) })).toMatch(
      /firmware and the kernel both want/,
    );
  });

  it('says when there is nothing to run', () => {
    const { kernel: _none, ...rest } = OPTIONS;
    for (const firmware of [{ kind: 'none' }, { kind: 'built-in' }] as const) {
      const result = planBoot({ ...rest, firmware });
      expect(result.ok ? '' : result.error.desc).toMatch(/nothing to run/);
    }
  });
});

it('puts bytes into RAM and clears what lies behind them', () => {
  const mem = testMemory();
  mem.u8.fill(0xee);
  const { regions } = plan({
    firmware: { kind: 'none' },
    kernel: { kind: 'flat', bytes: Uint8Array.of(1, 2), memoryBytes: 4 },
  });
  loadRegions(
    mem,
    4096,
    regions.filter((r) => r.what === 'kernel'),
  );
  expect(Array.from(mem.u8.subarray(4095, 4101))).toEqual([0xee, 1, 2, 0, 0, 0xee]);
});
