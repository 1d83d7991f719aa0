import type { Result } from '../../base/result.ts';
import { ok, userError } from '../../base/result.ts';

/** A program as it lies in a file. */
export type KernelImage =
  /** Linux's `Image`: raw, position independent, to be placed 2 MiB aligned. */
  | { readonly kind: 'linux'; readonly bytes: Uint8Array; readonly memoryBytes: number }
  | { readonly kind: 'elf'; readonly entry: number; readonly segments: readonly ElfSegment[] }
  /** Anything else that may be RISC-V code: starts at its first byte. */
  | { readonly kind: 'flat'; readonly bytes: Uint8Array; readonly memoryBytes: number };

export interface ElfSegment {
  /** Physical address. */
  readonly addr: number;
  readonly bytes: Uint8Array;
  /** Size in memory; what goes beyond the bytes is zero. */
  readonly memoryBytes: number;
}

const RISCV_HINT =
  'This machine is a 64-bit RISC-V: use a riscv64 kernel, such as the Image of linux-image-riscv64.';

/** The magic numbers people hand over by mistake, with what to do about it. */
const STRANGERS: readonly { at: number; magic: readonly number[]; what: string; hint: string }[] = [
  { at: 0x202, magic: ascii('HdrS'), what: 'a Linux kernel for x86', hint: RISCV_HINT },
  { at: 56, magic: ascii('ARM\x64'), what: 'a Linux kernel for 64-bit ARM', hint: RISCV_HINT },
  { at: 0, magic: [0xfd, ...ascii('7zXZ')], what: 'compressed with xz', hint: 'Unpack it first: xz -d FILE' },
  {
    at: 0,
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    what: 'compressed with zstd',
    hint: 'Unpack it first: zstd -d FILE',
  },
  { at: 0, magic: ascii('BZh'), what: 'compressed with bzip2', hint: 'Unpack it first: bunzip2 FILE' },
  {
    at: 0,
    magic: [0x04, 0x22, 0x4d, 0x18],
    what: 'compressed with lz4',
    hint: 'Unpack it first: lz4 -d FILE',
  },
  {
    at: 0,
    magic: [...ascii('QFI'), 0xfb],
    what: 'a qcow2 disk image',
    hint: 'Disks belong to -drive or -blockdev.',
  },
  { at: 0, magic: ascii('PK\x03\x04'), what: 'a ZIP archive', hint: 'Unpack it first.' },
  {
    at: 0,
    magic: ascii('!<arch>'),
    what: 'an archive or Debian package',
    hint: 'Unpack it and give the kernel in it.',
  },
  {
    at: 0,
    magic: [0xd0, 0x0d, 0xfe, 0xed],
    what: 'a device tree',
    hint: 'The board makes its own; none is needed.',
  },
  { at: 0, magic: ascii('070701'), what: 'an initial ramdisk', hint: 'Give it with -initrd.' },
];

function ascii(text: string): number[] {
  return Array.from(text, (c) => c.charCodeAt(0));
}

/** True for a gzip stream, which the caller may unpack before it asks `identifyKernel`. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Recognises a kernel or firmware file. What is certainly not one is a user's mistake with a way out.
 *
 * @param option the option that named it and the file's name, for messages: `-kernel vmlinuz`
 */
export function identifyKernel(bytes: Uint8Array, option: string): Result<KernelImage> {
  const wrong = (what: string, hint = RISCV_HINT) => userError(`${option}: ${what}`, { hint });
  if (bytes.length < 4) return wrong('the file is empty');
  if (isGzip(bytes)) {
    return wrong('the file is compressed with gzip', 'Unpack it first: gzip -d < FILE > Image');
  }
  if (hasMagic(bytes, 0, [0x7f, ...ascii('ELF')])) return identifyElf(bytes, wrong);
  const linux = identifyLinux(bytes, wrong);
  if (linux !== undefined) return linux;
  for (const stranger of STRANGERS) {
    if (hasMagic(bytes, stranger.at, stranger.magic))
      return wrong(`the file is ${stranger.what}`, stranger.hint);
  }
  if (looksLikeText(bytes)) return wrong('the file is text, not a kernel');
  // All zeros and all ones are illegal instructions for ever (unprivileged manual, 1.5).
  const first = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if ((first & 0xffff) === 0 || first === 0xffff_ffff)
    return wrong('the file does not begin with RISC-V code');
  return ok({ kind: 'flat', bytes, memoryBytes: bytes.length });
}

type Wrong = (what: string, hint?: string) => Result<never>;

/** Linux's Documentation/arch/riscv/boot-image-header: a 64-byte header, little-endian. */
function identifyLinux(bytes: Uint8Array, wrong: Wrong): Result<KernelImage> | undefined {
  if (bytes.length < 64 || !hasMagic(bytes, 56, ascii('RSC\x05'))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if ((view.getUint32(24, true) & 1) !== 0) return wrong('the kernel is big-endian');
  const memoryBytes = Number(view.getBigUint64(16, true));
  return ok({ kind: 'linux', bytes, memoryBytes: Math.max(memoryBytes, bytes.length) });
}

const EM_RISCV = 243;
const PT_LOAD = 1;

function identifyElf(bytes: Uint8Array, wrong: Wrong): Result<KernelImage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || bytes[5] !== 1 || view.getUint16(18, true) !== EM_RISCV) {
    return wrong('the ELF file is not for RISC-V');
  }
  if (bytes[4] !== 2) return wrong('the ELF file is for 32-bit RISC-V');
  const type = view.getUint16(16, true);
  if (type !== 2 && type !== 3) return wrong('the ELF file is not a program', 'Link it first.');
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  let entry = view.getBigUint64(24, true);
  const table = u64(32);
  const entryBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  const segments: ElfSegment[] = [];
  let moved = false;
  for (let i = 0; i < count; i++) {
    const at = table + i * entryBytes;
    if (at + 56 > bytes.length) return wrong('the ELF file is cut short', 'Download it again.');
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const offset = u64(at + 8);
    const virtual = view.getBigUint64(at + 16, true);
    const physical = u64(at + 24);
    const fileBytes = u64(at + 32);
    const memoryBytes = u64(at + 40);
    if (memoryBytes === 0) continue;
    if (offset + fileBytes > bytes.length) return wrong('the ELF file is cut short', 'Download it again.');
    if (fileBytes > memoryBytes) return wrong('the ELF file has a segment larger in the file than in memory');
    segments.push({ addr: physical, bytes: bytes.subarray(offset, offset + fileBytes), memoryBytes });
    // The entry point is a virtual address; execution starts at the physical one.
    if (!moved && entry >= virtual && entry < virtual + BigInt(memoryBytes)) {
      entry = entry - virtual + BigInt(physical);
      moved = true;
    }
  }
  if (segments.length === 0) return wrong('the ELF file has nothing to load');
  return ok({ kind: 'elf', entry: Number(entry), segments });
}

function hasMagic(bytes: Uint8Array, at: number, magic: readonly number[]): boolean {
  return magic.every((value, i) => bytes[at + i] === value);
}

function looksLikeText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 512).every((c) => c === 9 || c === 10 || c === 13 || (c >= 0x20 && c < 0x7f));
}
