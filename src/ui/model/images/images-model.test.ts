import { expect, it } from 'vitest';
import { parseSize } from './images-model.ts';

it('reads sizes in whole sectors', () => {
  expect(['512', '1k', '256 MiB', '1.5G', '4GB'].map(parseSize)).toEqual([
    512,
    1024,
    2 ** 28,
    1.5 * 2 ** 30,
    2 ** 32,
  ]);
});
it('refuses what is no size, empty, or not a whole number of sectors', () => {
  expect(['', '0', '-1', '513', '1.3k', 'big', '9999T'].map(parseSize)).toEqual(Array(7).fill(undefined));
});
