import type { GuestAddr } from '../../base/brands.ts';
import { guestAddr, KiB, MiB } from '../../base/brands.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import type { Result } from '../../base/result.ts';
import { ok, userError } from '../../base/result.ts';
import type { DeviceTreeConfig } from './device-tree.ts';
import { buildDeviceTree } from './device-tree.ts';
import type { KernelImage } from './kernel-image.ts';
import { VIRT_DRAM, VIRT_MROM } from './memory-map.ts';

/** What `-bios` says: the built-in SBI (`default`), nothing, or a file. */
export type Firmware =
  | { readonly kind: 'built-in' }
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly image: KernelImage };

export interface BootOptions {
  readonly firmware: Firmware;
  readonly kernel?: KernelImage;
  readonly initrd?: Uint8Array;
  /** The tree but for what the loader decides. */
  readonly tree: Omit<DeviceTreeConfig, 'initrd'>;
}

/** Bytes to put into guest RAM; the memory behind them up to `memoryBytes` is zero. */
export interface LoadRegion {
  readonly what: 'firmware' | 'kernel' | 'initrd' | 'dtb';
  readonly addr: GuestAddr;
  readonly bytes: Uint8Array;
  readonly memoryBytes: number;
}

/** Everything about a start that is not the same each time. */
export interface BootPlan {
  readonly regions: readonly LoadRegion[];
  /** Contents of the boot ROM: the fw_dynamic_info, or nothing. */
  readonly rom: Uint8Array<ArrayBuffer>;
  /** Where the boot hart starts. With the built-in SBI the other harts wait to be started, else all start here. */
  readonly pc: GuestAddr;
  readonly mode: 'S' | 'M';
  /** a1 of a starting hart: the device tree (a0 is its id). */
  readonly a1: GuestAddr;
  /** a2: the fw_dynamic_info for `-bios FILE`, else 0. */
  readonly a2: number;
}

/** Distance of an S-mode kernel from the start of RAM: what is below belongs to the firmware. */
const KERNEL_OFFSET = 2 * MiB;
const KERNEL_ALIGN = 2 * MiB;
const PAGE = 4096;
const DTB_ALIGN = 2 * MiB;
/** More than a tree with hundreds of harts takes. */
const DTB_ROOM = 64 * KiB;
/** The device tree is placed below this, where firmware and kernels of every age reach it. */
const DTB_LIMIT = 0x1_0000_0000;

const alignUp = (n: number, to: number): number => Math.ceil(n / to) * to;
const alignDown = (n: number, to: number): number => Math.floor(n / to) * to;

/**
 * Decides where everything goes and how the harts start, as QEMU's `virt` does.
 *
 * | where                              | what                                             |
 * |------------------------------------|--------------------------------------------------|
 * | 0x8000_0000                        | firmware, or with `-bios none` the kernel        |
 * | 0x8020_0000, or behind firmware    | kernel (an ELF file goes where it wants)         |
 * | min(RAM / 2, 128 MiB) further      | initrd, or behind the kernel if that is larger   |
 * | end of RAM, 2 MiB aligned          | device tree                                      |
 */
export function planBoot(options: BootOptions): Result<BootPlan> {
  const { firmware, tree } = options;
  const ramEnd = VIRT_DRAM.base + tree.ramBytes;
  const regions: LoadRegion[] = [];

  if (firmware.kind === 'none' && options.kernel === undefined) {
    return userError('-bios none: there is nothing to run', { hint: 'Give a program with -kernel FILE.' });
  }
  if (firmware.kind === 'built-in' && options.kernel === undefined) {
    return userError('there is nothing to run', {
      hint: 'Give a kernel with -kernel FILE or firmware with -bios FILE.',
    });
  }

  let entry: number = VIRT_DRAM.base;
  let kernelBase = VIRT_DRAM.base + (firmware.kind === 'built-in' ? KERNEL_OFFSET : 0);
  if (firmware.kind === 'file') {
    entry = place(regions, 'firmware', firmware.image, VIRT_DRAM.base);
    kernelBase = alignUp(endOf(regions), KERNEL_ALIGN);
  }
  let kernelEntry = 0;
  if (options.kernel) {
    kernelEntry = place(regions, 'kernel', options.kernel, kernelBase);
    if (firmware.kind !== 'file') entry = kernelEntry;
  }

  let initrd: DeviceTreeConfig['initrd'];
  if (options.initrd && options.initrd.length > 0) {
    const wanted = kernelBase + Math.min(tree.ramBytes / 2, 128 * MiB);
    const roomEnd = alignDown(ramEnd - DTB_ROOM, DTB_ALIGN);
    const start =
      wanted + options.initrd.length <= roomEnd ? Math.max(endOf(regions), wanted) : endOf(regions);
    const page = alignUp(start, PAGE);
    initrd = { start: page, end: page + options.initrd.length };
    regions.push(region('initrd', page, options.initrd));
  }
  const dtb = buildDeviceTree({ ...tree, ...(initrd && { initrd }) });
  const dtbAddr = alignDown(Math.min(ramEnd, DTB_LIMIT) - dtb.length, DTB_ALIGN);
  const needed = endOf(regions);
  regions.push(region('dtb', dtbAddr, dtb));

  for (const { what, addr, memoryBytes } of regions) {
    if (addr < VIRT_DRAM.base || addr + memoryBytes > ramEnd)
      return outsideRam(what, addr, memoryBytes, options);
  }
  const overlap = findOverlap(regions);
  if (overlap) {
    // Where the device tree is in the way there is too little RAM; else two files want the same place.
    if (overlap.some((r) => r.what === 'dtb')) return tooSmall(needed, options);
    return userError(
      `the ${overlap[0].what} and the ${overlap[1].what} both want guest address 0x${overlap[1].addr.toString(16)}`,
      { hint: 'Link one of them for another address.' },
    );
  }
  const dynamic = firmware.kind === 'file';
  return ok({
    regions,
    rom: dynamic ? fwDynamicInfo(kernelEntry) : new Uint8Array(0),
    pc: guestAddr(entry),
    mode: firmware.kind === 'built-in' ? 'S' : 'M',
    a1: guestAddr(dtbAddr),
    a2: dynamic ? VIRT_MROM.base : 0,
  });
}

function region(what: LoadRegion['what'], addr: number, bytes: Uint8Array): LoadRegion {
  return { what, addr: guestAddr(addr), bytes, memoryBytes: bytes.length };
}

/** Adds an image's regions; returns where it is entered. */
function place(regions: LoadRegion[], what: 'firmware' | 'kernel', image: KernelImage, base: number): number {
  if (image.kind === 'elf') {
    for (const { addr, bytes, memoryBytes } of image.segments) {
      regions.push({ what, addr: guestAddr(addr), bytes, memoryBytes });
    }
    return image.entry;
  }
  regions.push({ what, addr: guestAddr(base), bytes: image.bytes, memoryBytes: image.memoryBytes });
  return base;
}

const endOf = (regions: readonly LoadRegion[]): number =>
  Math.max(VIRT_DRAM.base, ...regions.map((r) => r.addr + r.memoryBytes));

/** Two regions that overlap, of different files. */
function findOverlap(regions: readonly LoadRegion[]): [LoadRegion, LoadRegion] | undefined {
  for (const a of regions) {
    for (const b of regions) {
      if (a.what !== b.what && a.addr <= b.addr && b.addr < a.addr + a.memoryBytes) return [a, b];
    }
  }
  return undefined;
}

function outsideRam(
  what: LoadRegion['what'],
  addr: number,
  bytes: number,
  options: BootOptions,
): Result<never> {
  if (what === 'dtb') return tooSmall(VIRT_DRAM.base + options.tree.ramBytes, options);
  if (addr >= VIRT_DRAM.base && addr < DTB_LIMIT) return tooSmall(addr + bytes, options);
  return userError(`the ${what} wants guest address 0x${addr.toString(16)}, where this machine has no RAM`, {
    hint: `RAM begins at 0x${VIRT_DRAM.base.toString(16)}: link it for an address from there on.`,
  });
}

/** @param end guest address behind the last byte that must fit before the device tree */
function tooSmall(end: number, options: BootOptions): Result<never> {
  const least = Math.ceil((end - VIRT_DRAM.base) / MiB) + 4;
  return userError(`${options.tree.ramBytes / MiB} MiB of RAM are too few for the files to load`, {
    hint: `Give the machine at least -m ${least}M.`,
  });
}

/**
 * OpenSBI's fw_dynamic_info, version 2: six 64-bit words. Where the next stage is, in which mode it is
 * entered, and which hart boots.
 */
function fwDynamicInfo(next: number): Uint8Array<ArrayBuffer> {
  const MAGIC = 0x4942_534f; // "OSBI"
  const VERSION = 2;
  const S_MODE = 1;
  const words = BigUint64Array.of(BigInt(MAGIC), BigInt(VERSION), BigInt(next), BigInt(S_MODE), 0n, 0n);
  return new Uint8Array(words.buffer);
}

/** Puts the regions into guest RAM, which begins at byte `ram` of the shared memory. No hart may be running. */
export function loadRegions(mem: SharedMemory, ram: number, regions: readonly LoadRegion[]): void {
  for (const { addr, bytes, memoryBytes } of regions) {
    const at = ram + (addr - VIRT_DRAM.base);
    mem.u8.set(bytes, at);
    mem.u8.fill(0, at + bytes.length, at + memoryBytes);
  }
}
