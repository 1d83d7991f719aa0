import { assert } from './assert.ts';

/** Field types of a shared structure; `bytes:N` reserves N raw bytes. */
export type FieldType =
  | 'u8'
  | 'u16'
  | 'u32'
  | 'f64'
  | 'u64'
  | `u32[${number}]`
  | `f64[${number}]`
  | `bytes:${number}`;

export interface StructLayout<F extends Record<string, FieldType>> {
  readonly name: string;
  /** Size in bytes, rounded up to the alignment asked for. */
  readonly size: number;
  /** Byte offset of each field. */
  readonly at: { readonly [K in keyof F]: number };
}

function sizeAndAlign(type: FieldType): [size: number, align: number] {
  switch (type) {
    case 'u8':
      return [1, 1];
    case 'u16':
      return [2, 2];
    case 'u32':
      return [4, 4];
    case 'f64':
    case 'u64':
      return [8, 8];
    default: {
      const array = /^(u32|f64)\[(\d+)\]$/.exec(type);
      if (array) {
        const unit = array[1] === 'u32' ? 4 : 8;
        return [unit * Number(array[2]), unit];
      }
      const raw = /^bytes:(\d+)$/.exec(type);
      assert(raw, `struct: unknown field type ${type}`);
      return [Number(raw[1]), 1];
    }
  }
}

/**
 * Declares the layout of a structure in shared memory once: offsets in declaration order, each field
 * naturally aligned, the whole rounded up to `align` bytes (64 keeps writers off each other's cache lines).
 */
export function struct<const F extends Record<string, FieldType>>(
  name: string,
  fields: F,
  align = 8,
): StructLayout<F> {
  const at: Record<string, number> = {};
  let offset = 0;
  for (const [field, type] of Object.entries(fields)) {
    const [size, alignment] = sizeAndAlign(type);
    offset = Math.ceil(offset / alignment) * alignment;
    at[field] = offset;
    offset += size;
  }
  return { name, size: Math.ceil(offset / align) * align, at: at as StructLayout<F>['at'] };
}
