import { expect, it } from 'vitest';
import { KeptOutput } from './kept-output.ts';

it('keeps what a terminal showed, colours and all', () => {
  const kept = new KeptOutput();
  kept.add('\x1b[1;32mok\x1b[0m\r\n');
  kept.add('root@here:~# ');
  expect(kept.text).toBe('\x1b[1;32mok\x1b[0m\r\nroot@here:~# ');
});

it('leaves out what a terminal would answer', () => {
  const kept = new KeptOutput();
  // Cursor, attributes, window size, mode, version, background colour.
  kept.add('a\x1b[6nb\x1b[cc\x1b[18td\x1b[?25$pe\x1b[>0qf\x1b]11;?\x07g\x1b[?6nh');
  expect(kept.text).toBe('abcdefgh');
});

it('leaves out a question that came in two pieces', () => {
  const kept = new KeptOutput();
  kept.add('a\x1b[');
  kept.add('6nb');
  expect(kept.text).toBe('ab');
});

it('keeps the end, from the beginning of a line', () => {
  const kept = new KeptOutput();
  for (let line = 0; line < 20_000; line++) kept.add(`line ${line}\r\n`);
  expect(kept.text).toMatch(/^line \d+\r\n/);
  expect(kept.text).toMatch(/line 19999\r\n$/);
  expect(kept.text.length).toBeLessThanOrEqual(48 * 1024);
  expect(kept.text.length).toBeGreaterThan(47 * 1024);
});
