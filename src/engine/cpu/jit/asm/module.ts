import { Bytes } from './bytes.ts';
import type { Code } from './code.ts';
import type { ValueType } from './opcodes.ts';

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface FunctionImport {
  readonly name: string;
  readonly type: FunctionType;
}

const SECTION = { custom: 0, type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const KIND_FUNCTION = 0;
const KIND_MEMORY = 2;
const FUNCTION_TYPE = 0x60;
/** Limits flags: shared, with a maximum. */
const SHARED = 3;
const MAX_PAGES = 65536;

function section(out: Bytes, id: number, write: (body: Bytes) => void): void {
  const body = new Bytes();
  write(body);
  out.byte(id);
  out.unsigned(body.length);
  out.append(body.view());
}

function types(out: Bytes, all: readonly ValueType[]): void {
  out.unsigned(all.length);
  for (const type of all) out.byte(type);
}

/**
 * A module that imports `env.memory` (shared) and functions of `env`, and exports its functions,
 * all of one type, under "0", "1", … The imports have the function indices from 0 on.
 */
export function assembleModule(
  imports: readonly FunctionImport[],
  type: FunctionType,
  functions: readonly Code[],
): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  section(out, SECTION.type, (body) => {
    const all = [type, ...imports.map((f) => f.type)];
    body.unsigned(all.length);
    for (const { params, results } of all) {
      body.byte(FUNCTION_TYPE);
      types(body, params);
      types(body, results);
    }
  });
  section(out, SECTION.import, (body) => {
    body.unsigned(imports.length + 1);
    for (const [index, { name }] of imports.entries()) {
      body.name('env');
      body.name(name);
      body.byte(KIND_FUNCTION);
      body.unsigned(index + 1);
    }
    body.name('env');
    body.name('memory');
    body.byte(KIND_MEMORY);
    body.byte(SHARED);
    body.unsigned(1);
    body.unsigned(MAX_PAGES);
  });
  section(out, SECTION.function, (body) => {
    body.unsigned(functions.length);
    for (let i = 0; i < functions.length; i++) body.unsigned(0);
  });
  section(out, SECTION.export, (body) => {
    body.unsigned(functions.length);
    for (let i = 0; i < functions.length; i++) {
      body.name(String(i));
      body.byte(KIND_FUNCTION);
      body.unsigned(imports.length + i);
    }
  });
  // What the engine may know of branches stands before the code.
  section(out, SECTION.custom, (body) => {
    body.name('metadata.code.branch_hint');
    const hinted = [...functions.entries()].filter(([, code]) => code.hinted);
    body.unsigned(hinted.length);
    for (const [i, code] of hinted) {
      body.unsigned(imports.length + i);
      code.finishHints(body);
    }
  });
  section(out, SECTION.code, (body) => {
    body.unsigned(functions.length);
    for (const code of functions) code.finish(body);
  });
  return out.view();
}
