import { expect, test } from 'vitest';
import { KickMemory } from './kick-memory.ts';

test('a request belongs to the oldest kick that announced it', () => {
  const kicks = new KickMemory();
  expect(kicks.covering(1)).toBeNaN();
  for (const [time, avail] of [
    [10, 3],
    [20, 5],
    [30, 8],
  ] as const)
    kicks.add(time, avail);
  expect(kicks.covering(2)).toBe(10);
  expect(kicks.covering(3)).toBe(10);
  expect(kicks.covering(4)).toBe(20);
  expect(kicks.covering(9)).toBeNaN();
});

test('avail.idx wraps', () => {
  const kicks = new KickMemory();
  kicks.add(10, 0xfffe);
  kicks.add(20, 2);
  expect(kicks.covering(0xffff)).toBe(20);
  expect(kicks.covering(0xfffd)).toBe(10);
});

test('a kick is done with when what it announced is taken, also when the queue comes round to its index', () => {
  const kicks = new KickMemory();
  kicks.add(10, 2);
  kicks.add(20, 4);
  kicks.taken(1);
  expect(kicks.covering(2)).toBe(10);
  kicks.taken(2);
  expect([kicks.covering(2), kicks.covering(3)]).toEqual([20, 20]);
  // Nobody kicks: the driver is faster than the device, and 32,767 requests on the old indexes seem to lie ahead.
  for (let next = 3; next <= 0x8005; next++) kicks.taken(next & 0xffff);
  expect(kicks.covering(0x8006)).toBeNaN();
  kicks.add(30, 0x8007);
  expect(kicks.covering(0x8007)).toBe(30);
});

test('where kicks carry no index, it is the oldest after the last look', () => {
  const kicks = new KickMemory();
  for (const time of [10, 20, 30]) kicks.add(time, 0);
  expect(kicks.since(10)).toBe(20);
  expect(kicks.since(30)).toBeNaN();
});

test('only so many are remembered, and none after a reset', () => {
  const kicks = new KickMemory();
  for (let i = 1; i <= 1000; i++) kicks.add(i, i);
  expect(kicks.covering(0)).toBe(745);
  kicks.clear();
  expect(kicks.covering(0)).toBeNaN();
});
