/** A Linux Image: header and filler. */
export function linuxImage(options: { bytes: number; imageSize: number; flags?: number }): Uint8Array {
  const image = new Uint8Array(options.bytes).fill(0x13);
  const view = new DataView(image.buffer);
  view.setUint32(0, 0x0000_006f, true); // j 0
  view.setBigUint64(8, 0x20_0000n, true);
  view.setBigUint64(16, BigInt(options.imageSize), true);
  view.setBigUint64(24, BigInt(options.flags ?? 0), true);
  image.set([0x52, 0x49, 0x53, 0x43, 0x56, 0, 0, 0, 0x52, 0x53, 0x43, 0x05], 48); // "RISCV", "RSC\x05"
  return image;
}

/** A 64-bit RISC-V ELF program. */
export function elfImage(options: {
  entry: bigint;
  segments: readonly { virtual: bigint; physical: bigint; bytes: Uint8Array; memoryBytes: number }[];
}): Uint8Array {
  const { segments } = options;
  const table = 64;
  const data = table + segments.length * 56;
  const image = new Uint8Array(data + segments.reduce((sum, segment) => sum + segment.bytes.length, 0));
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 243, true);
  view.setBigUint64(24, options.entry, true);
  view.setBigUint64(32, BigInt(table), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let at = data;
  for (const [i, segment] of segments.entries()) {
    const header = table + i * 56;
    view.setUint32(header, 1, true); // PT_LOAD
    view.setBigUint64(header + 8, BigInt(at), true);
    view.setBigUint64(header + 16, segment.virtual, true);
    view.setBigUint64(header + 24, segment.physical, true);
    view.setBigUint64(header + 32, BigInt(segment.bytes.length), true);
    view.setBigUint64(header + 40, BigInt(segment.memoryBytes), true);
    image.set(segment.bytes, at);
    at += segment.bytes.length;
  }
  return image;
}
