// @ts-check
/** As much of the ELF format (64-bit, little-endian) as tells which shared libraries a program asks for. */

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

/**
 * @param {Buffer} file
 * @returns {boolean} whether the file is ELF, 64-bit, little-endian
 */
export const isElf = (file) =>
  file.length >= 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;

/**
 * @param {Buffer} file
 * @returns {string[]} names in DT_NEEDED entries; empty for a static program and for what is not ELF
 */
export function needed(file) {
  if (!isElf(file)) return [];
  const phoff = Number(file.readBigUInt64LE(32));
  const phentsize = file.readUInt16LE(54);
  const phnum = file.readUInt16LE(56);
  const segments = Array.from({ length: phnum }, (_, i) => {
    const at = phoff + i * phentsize;
    return {
      type: file.readUInt32LE(at),
      offset: file.readBigUInt64LE(at + 8),
      vaddr: file.readBigUInt64LE(at + 16),
      filesz: file.readBigUInt64LE(at + 32),
    };
  });
  const dynamic = segments.find((s) => s.type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  /** @type {bigint[]} */
  const names = [];
  let strtab = 0n;
  for (let at = Number(dynamic.offset); at < Number(dynamic.offset + dynamic.filesz); at += 16) {
    const tag = file.readBigUInt64LE(at);
    const value = file.readBigUInt64LE(at + 8);
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) names.push(value);
    if (tag === DT_STRTAB) strtab = value;
  }
  const load = segments.find((s) => s.type === PT_LOAD && strtab >= s.vaddr && strtab < s.vaddr + s.filesz);
  if (load === undefined) return [];
  const base = Number(strtab - load.vaddr + load.offset);
  return names.map((offset) => {
    const start = base + Number(offset);
    return file.toString('latin1', start, file.indexOf(0, start));
  });
}

/**
 * Offset of the "RSC\x05" magic of a raw RISC-V kernel Image
 * (Linux, Documentation/arch/riscv/boot-image-header.rst).
 *
 * @param {Buffer} file
 * @returns {boolean} whether the file is a raw kernel Image
 */
export const isKernelImage = (file) => file.length > 64 && file.toString('latin1', 0x38, 0x3c) === 'RSC\x05';
