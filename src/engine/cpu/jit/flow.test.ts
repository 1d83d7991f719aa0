import { describe, expect, it } from 'vitest';
import { addi } from '../testing/encode.ts';
import type { Block, Target } from './blocks.ts';
import { decode } from './decode.ts';
import { analyseFlow, type Item } from './flow.ts';

/** Blocks of one instruction each, by where they lead to; the first is taken if there are two. */
function blocks(...successors: readonly (readonly number[])[]): Block[] {
  return successors.map((to, index) => {
    const offset = 4 * index;
    const insn = decode(addi(5, 5, 1), offset, 4);
    const target = (block: number): Target => ({ block, offset: 4 * block });
    const [first, second] = to;
    const end: Block['end'] =
      first === undefined
        ? { kind: 'interpret', offset }
        : second === undefined
          ? { kind: 'goto', to: target(first) }
          : { kind: 'branch', insn, taken: target(first), next: target(second) };
    return { offset, insns: [insn], end, resume: undefined, entered: true };
  });
}

const loops = (items: readonly Item[]): Extract<Item, { kind: 'loop' }>[] =>
  items.filter((item) => item.kind === 'loop');

describe('flow of a routine', () => {
  it('a loop that is entered in the middle, too, goes back to its beginning only', () => {
    // As a copying loop that is unrolled: 0 → 1 → 2 → 0, entered at 0, 1 and 2, left at 2.
    const { root, checks } = analyseFlow({
      blocks: blocks([1], [2], [0, 3], []),
      entries: [0, 1, 2],
      instructions: 4,
    });
    const [loop] = loops(root);
    expect(loop?.heads).toEqual([0, 1, 2]);
    expect(loop?.body).toEqual([0, 1, 2].map((node) => ({ kind: 'node', node })));
    expect([0, 1, 2].filter((node) => checks.has(node))).toHaveLength(1);
  });

  it('an inner loop stays one when it is entered from outside, too', () => {
    // 0 → 1 → 1 → 0: entered at 0 and in the inner loop of 1.
    const { root, checks } = analyseFlow({
      blocks: blocks([1], [1, 2], [0, 3], []),
      entries: [0, 1],
      instructions: 4,
    });
    const [outer] = loops(root);
    expect(outer?.heads).toEqual([0, 1]);
    const [inner] = loops(outer?.body ?? []);
    expect(inner?.heads).toEqual([1]);
    expect([0, 1].every((node) => checks.has(node))).toBe(true);
  });
});
