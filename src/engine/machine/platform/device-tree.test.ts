import { expect, it } from 'vitest';
import { MiB } from '../../base/brands.ts';
import type { DeviceTreeConfig } from './device-tree.ts';
import { buildDeviceTree } from './device-tree.ts';
import { writeFdt } from './fdt.ts';
import type { FdtReadNode } from './fdt-reader.ts';
import { cellsOf, findNode, readFdt, stringsOf } from './fdt-reader.ts';

const CONFIG: DeviceTreeConfig = {
  ramBytes: 256 * MiB,
  harts: 2,
  isaExtensions: ['m', 'a', 'f', 'd', 'c', 'zicsr', 'zifencei', 'sstc'],
  mmu: 'sv48',
};

function tree(config: Partial<DeviceTreeConfig> = {}): FdtReadNode {
  const result = readFdt(buildDeviceTree({ ...CONFIG, ...config }));
  if (!result.ok) throw new Error(result.error.desc);
  return result.value;
}

it('writes version 17 with every block where the header says', () => {
  const blob = writeFdt(
    { properties: { a: 'x', b: [1, 2] }, children: { n: { properties: { a: true } } } },
    3,
  );
  const view = new DataView(blob.buffer);
  const word = (at: number) => view.getUint32(at);
  expect(word(0)).toBe(0xd00dfeed);
  expect(word(4)).toBe(blob.length);
  expect(blob.length % 8).toBe(0);
  expect([word(20), word(24), word(28)]).toEqual([17, 16, 3]);
  // The reservation block is one empty entry, 8-aligned; the structure block ends where the strings begin.
  expect([word(16) % 8, word(8) - word(16)]).toEqual([0, 16]);
  expect(word(8) + word(36)).toBe(word(12));
  // Each name once: "a\0b\0".
  expect(word(32)).toBe(4);
  // BEGIN_NODE "" PROP(len 2, name 0) "x\0" padded …
  expect([0, 4, 8, 12, 16, 20].map((at) => word(word(8) + at))).toEqual([1, 0, 3, 2, 0, 0x78000000]);
});

it('reads back what was written, and refuses what is not a tree', () => {
  const blob = writeFdt({
    properties: { list: ['one', 'two'], empty: true, raw: Uint8Array.of(1, 2, 3) },
    children: { child: { properties: { cells: [0xdead_beef] }, children: { leaf: { properties: {} } } } },
  });
  const result = readFdt(blob);
  expect(result.ok).toBe(true);
  if (!result.ok) return;
  const root = result.value;
  expect(stringsOf(root, 'list')).toEqual(['one', 'two']);
  expect(root.properties.get('empty')?.length).toBe(0);
  expect(Array.from(root.properties.get('raw') ?? [])).toEqual([1, 2, 3]);
  expect(cellsOf(findNode(root, '/child'), 'cells')).toEqual([0xdead_beef]);
  expect(findNode(root, '/child/leaf')).toBeDefined();
  expect(findNode(root, '/nobody/leaf')).toBeUndefined();
  for (const broken of [new Uint8Array(0), new Uint8Array(64), blob.subarray(0, blob.length - 16)]) {
    expect(readFdt(broken).ok).toBe(false);
  }
});

it('describes harts in the old way and the new', () => {
  const cpu = findNode(tree(), '/cpus/cpu@1');
  expect(stringsOf(cpu, 'riscv,isa')).toEqual(['rv64imafdc_zicsr_zifencei_sstc']);
  expect(stringsOf(cpu, 'riscv,isa-base')).toEqual(['rv64i']);
  expect(stringsOf(cpu, 'riscv,isa-extensions')).toEqual(['i', ...CONFIG.isaExtensions]);
  expect(stringsOf(cpu, 'mmu-type')).toEqual(['riscv,sv48']);
  expect(cellsOf(cpu, 'reg')).toEqual([1]);
  expect(cellsOf(findNode(tree(), '/cpus'), 'timebase-frequency')).toEqual([10_000_000]);
});

it('wires PLIC and CLINT to each hart’s controller', () => {
  const root = tree();
  const intc = [0, 1].map(
    (hart) => cellsOf(findNode(root, `/cpus/cpu@${hart}/interrupt-controller`), 'phandle')?.[0] ?? 0,
  );
  const [first = 0, second = 0] = intc;
  expect(cellsOf(findNode(root, '/soc/plic@c000000'), 'interrupts-extended')).toEqual([
    first,
    11,
    first,
    9,
    second,
    11,
    second,
    9,
  ]);
  expect(cellsOf(findNode(root, '/soc/clint@2000000'), 'interrupts-extended')).toEqual([
    first,
    3,
    first,
    7,
    second,
    3,
    second,
    7,
  ]);
  const phandles = new Set<number>();
  const walk = (node: FdtReadNode): void => {
    for (const phandle of cellsOf(node, 'phandle') ?? []) {
      expect(phandles.has(phandle), `phandle ${phandle} twice`).toBe(false);
      phandles.add(phandle);
    }
    for (const child of node.children.values()) walk(child);
  };
  walk(root);
  // Whatever is pointed at exists.
  const plic = cellsOf(findNode(root, '/soc/serial@10000000'), 'interrupt-parent')?.[0] ?? 0;
  expect(cellsOf(findNode(root, '/soc/plic@c000000'), 'phandle')).toEqual([plic]);
  expect(cellsOf(findNode(root, '/poweroff'), 'regmap')).toEqual(
    cellsOf(findNode(root, '/soc/test@100000'), 'phandle'),
  );
});

it('puts into /chosen what the loader and the user say, and nothing else', () => {
  expect([...(findNode(tree(), '/chosen')?.properties.keys() ?? [])]).toEqual(['stdout-path']);
  const chosen = findNode(
    tree({
      bootargs: 'console=ttyS0 quiet',
      initrd: { start: 0x8800_0000, end: 0x8812_3456 },
      rngSeed: Uint8Array.from({ length: 32 }, (_, i) => i),
    }),
    '/chosen',
  );
  expect(stringsOf(chosen, 'bootargs')).toEqual(['console=ttyS0 quiet']);
  expect(cellsOf(chosen, 'linux,initrd-start')).toEqual([0, 0x8800_0000]);
  expect(cellsOf(chosen, 'linux,initrd-end')).toEqual([0, 0x8812_3456]);
  expect(chosen?.properties.get('rng-seed')?.length).toBe(32);
});

it('gives memory beyond 4 GiB of address space two cells', () => {
  const memory = findNode(tree({ ramBytes: 3 * 1024 * MiB }), '/memory@80000000');
  expect(cellsOf(memory, 'reg')).toEqual([0, 0x8000_0000, 0, 0xc000_0000]);
});

/**
 * What `qemu-system-riscv64 -machine virt,dumpdtb=FILE` (7.2) says of the devices both boards have: name,
 * reg (base, size) and interrupts.
 */
const QEMU_SOC: readonly [name: string, reg: number[], interrupts: number[] | undefined][] = [
  ['rtc@101000', [0, 0x10_1000, 0, 0x1000], [11]],
  ['serial@10000000', [0, 0x1000_0000, 0, 0x100], [10]],
  ['test@100000', [0, 0x10_0000, 0, 0x1000], undefined],
  ['virtio_mmio@10008000', [0, 0x1000_8000, 0, 0x1000], [8]],
  ['virtio_mmio@10007000', [0, 0x1000_7000, 0, 0x1000], [7]],
  ['virtio_mmio@10006000', [0, 0x1000_6000, 0, 0x1000], [6]],
  ['virtio_mmio@10005000', [0, 0x1000_5000, 0, 0x1000], [5]],
  ['virtio_mmio@10004000', [0, 0x1000_4000, 0, 0x1000], [4]],
  ['virtio_mmio@10003000', [0, 0x1000_3000, 0, 0x1000], [3]],
  ['virtio_mmio@10002000', [0, 0x1000_2000, 0, 0x1000], [2]],
  ['virtio_mmio@10001000', [0, 0x1000_1000, 0, 0x1000], [1]],
  ['plic@c000000', [0, 0xc00_0000, 0, 0x60_0000], undefined],
  ['clint@2000000', [0, 0x200_0000, 0, 0x1_0000], undefined],
];

it('places devices where QEMU’s virt has them, in its order', () => {
  const soc = findNode(tree(), '/soc');
  expect(
    [...(soc?.children ?? [])].map(([name, node]) => [
      name,
      cellsOf(node, 'reg'),
      cellsOf(node, 'interrupts'),
    ]),
  ).toEqual(QEMU_SOC);
});
