import { expect, it } from 'vitest';
import { identifyKernel, isGzip } from './kernel-image.ts';
import { elfImage, linuxImage } from './testing/images.ts';

const identify = (bytes: Uint8Array) => identifyKernel(bytes, '-kernel FILE');
const refusal = (bytes: Uint8Array): string => {
  const result = identify(bytes);
  if (result.ok) return `accepted as ${result.value.kind}`;
  expect(result.error.desc.startsWith('-kernel FILE: ')).toBe(true);
  expect(result.error.hint, 'every refusal has a way out').toBeTruthy();
  return result.error.desc.slice('-kernel FILE: '.length);
};
const text = (value: string, at = 0): Uint8Array => {
  const bytes = new Uint8Array(1024).fill(0x13);
  bytes.set(
    Uint8Array.from(value, (c) => c.charCodeAt(0)),
    at,
  );
  return bytes;
};

it('knows a Linux Image and the memory it takes beyond its file', () => {
  const result = identify(linuxImage({ bytes: 4096, imageSize: 0x2_0000 }));
  expect(result).toMatchObject({ ok: true, value: { kind: 'linux', memoryBytes: 0x2_0000 } });
  // Older kernels leave image_size 0.
  expect(identify(linuxImage({ bytes: 4096, imageSize: 0 }))).toMatchObject({ value: { memoryBytes: 4096 } });
  expect(refusal(linuxImage({ bytes: 4096, imageSize: 0, flags: 1 }))).toBe('the kernel is big-endian');
});

it('knows a RISC-V ELF program: segments at physical addresses, entry translated', () => {
  const code = Uint8Array.of(0x13, 0, 0, 0);
  const elf = elfImage({
    entry: 0xffff_ffff_8000_0010n,
    segments: [
      { virtual: 0xffff_ffff_8000_0000n, physical: 0x8020_0000n, bytes: code, memoryBytes: 0x3000 },
      { virtual: 0n, physical: 0x8100_0000n, bytes: new Uint8Array(0), memoryBytes: 0 },
    ],
  });
  const result = identify(elf);
  expect(result.ok && result.value).toMatchObject({
    kind: 'elf',
    entry: 0x8020_0010,
    segments: [{ addr: 0x8020_0000, memoryBytes: 0x3000 }],
  });
});

it('refuses ELF files it cannot run', () => {
  const segments = [
    { virtual: 0x8000_0000n, physical: 0x8000_0000n, bytes: new Uint8Array(16), memoryBytes: 16 },
  ];
  const good = elfImage({ entry: 0x8000_0000n, segments });
  const changed = (at: number, value: number): Uint8Array => {
    const copy = good.slice();
    copy[at] = value;
    return copy;
  };
  expect(identify(good).ok).toBe(true);
  expect(refusal(changed(18, 62))).toBe('the ELF file is not for RISC-V');
  expect(refusal(changed(4, 1))).toBe('the ELF file is for 32-bit RISC-V');
  expect(refusal(changed(16, 1))).toBe('the ELF file is not a program');
  expect(refusal(good.subarray(0, 70))).toBe('the ELF file is cut short');
  expect(refusal(good.subarray(0, good.length - 1))).toBe('the ELF file is cut short');
  expect(refusal(elfImage({ entry: 0n, segments: [] }))).toBe('the ELF file has nothing to load');
});

it('says what the common wrong files are', () => {
  expect(refusal(new Uint8Array(0))).toBe('the file is empty');
  expect(refusal(text('\x1f\x8b'))).toBe('the file is compressed with gzip');
  expect(isGzip(text('\x1f\x8b'))).toBe(true);
  expect(refusal(text('HdrS', 0x202))).toBe('the file is a Linux kernel for x86');
  expect(refusal(text('ARM\x64', 56))).toBe('the file is a Linux kernel for 64-bit ARM');
  expect(refusal(text('\xfd7zXZ'))).toBe('the file is compressed with xz');
  expect(refusal(text('\x28\xb5\x2f\xfd'))).toBe('the file is compressed with zstd');
  expect(refusal(text('QFI\xfb'))).toBe('the file is a qcow2 disk image');
  expect(refusal(text('070701'))).toBe('the file is an initial ramdisk');
  expect(refusal(text('<!doctype html>').fill(0x20, 15))).toBe('the file is text, not a kernel');
  expect(refusal(new Uint8Array(4096))).toBe('the file does not begin with RISC-V code');
});

it('takes anything else as a flat program', () => {
  expect(identify(Uint8Array.of(0x6f, 0, 0, 0, 0, 0))).toMatchObject({
    ok: true,
    value: { kind: 'flat', memoryBytes: 6 },
  });
});
