import { expect, test } from 'vitest';
import rows from './encodings.json' with { type: 'json' };
import { assemble } from './index.ts';

/** What GNU as made of each line; see update-encodings.mjs. */
const cases = rows.map(([line = '', bytes = '']) => ({ line, bytes }));

test('the fixtures cover the instruction set', () => {
  expect(cases.length).toBeGreaterThan(450);
});

test.each(cases)('$line', ({ line, bytes }) => {
  const image = Buffer.from(assemble('line.s', { 'line.s': line }).image).toString('hex');
  // Code is followed by the padding that aligns the next section.
  expect(image.slice(0, bytes.length)).toBe(bytes);
  expect(image.slice(bytes.length)).toMatch(/^0*$/);
});
