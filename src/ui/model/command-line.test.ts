import { expect, test } from 'vitest';
import { mistakeOf, readCommandLine } from './command-line.ts';

test('a mistake is said without its argument, which is marked, and with a hint that is short', () => {
  expect(mistakeOf('-m 0: too little\nAt least 32 MiB.')).toEqual({
    said: 'too little. At least 32 MiB.',
    list: undefined,
  });
  expect(mistakeOf('-m 0: too little')).toEqual({ said: 'too little', list: undefined });
});

test('a hint that is a list stands by itself', async () => {
  const { marks } = await readCommandLine('-device virtio-blk,nonsense=1');
  const { said, list } = mistakeOf(marks[0]?.message ?? '');
  expect(said).toContain('nonsense');
  expect(list).toContain('drive');
});
