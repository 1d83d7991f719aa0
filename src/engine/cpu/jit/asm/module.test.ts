import { describe, expect, it } from 'vitest';
import { Code } from './code.ts';
import { assembleModule, type FunctionType } from './module.ts';
import { control, I32, i32 } from './opcodes.ts';

const TYPE: FunctionType = { params: [I32], results: [I32] };

describe('assembled modules', () => {
  it('tell which branches are likely, at the place of the branch', () => {
    const code = new Code(TYPE.params);
    const local = code.local(I32);
    code.get(0).if(undefined, 'unlikely');
    code.i32(7).set(local).end();
    const block = code.block();
    code.get(0).brIf(block, 'likely').end().get(local);
    const bytes = assembleModule([], TYPE, [code]);
    const module = new WebAssembly.Module(bytes);
    const [section] = WebAssembly.Module.customSections(module, 'metadata.code.branch_hint');
    const [functions, index, hints, first, firstSize, unlikely, second, secondSize, likely] = new Uint8Array(
      section!,
    );
    expect([functions, index, hints, firstSize, unlikely, secondSize, likely]).toEqual([1, 0, 2, 1, 0, 1, 1]);
    // The function's body is the last thing in the module, behind its size.
    const body = bytes.subarray(bytes.length - bodyLength(bytes));
    expect([body[first!], body[second!]]).toEqual([control.if, control.brIf]);
  });

  it('have no hints where there are none', () => {
    const code = new Code(TYPE.params);
    code.get(0).i32(1).op(i32.add);
    const module = new WebAssembly.Module(assembleModule([], TYPE, [code]));
    const [section] = WebAssembly.Module.customSections(module, 'metadata.code.branch_hint');
    expect([...new Uint8Array(section!)]).toEqual([0]);
  });
});

/** Length of the only function's body: the byte before it says so. */
function bodyLength(bytes: Uint8Array): number {
  for (let length = 2; length < 128; length++) if (bytes[bytes.length - length - 1] === length) return length;
  throw new Error('no body');
}
