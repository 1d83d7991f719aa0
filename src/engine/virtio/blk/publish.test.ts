import { expect, test } from 'vitest';
import { KiB } from '../../base/brands.ts';
import { BlkMachine } from '../testing/blk-machine.ts';

/** Completions the driver can see at the moment each request of a batch reaches the backend. */
function visibleAtEachSubmit(requests: number, bytes: number): number[] {
  const machine = new BlkMachine({ diskBytes: 64 * 1024 * KiB, ramBytes: 32 * 1024 * KiB }).boot();
  const visible: number[] = [];
  const submit = machine.disk.submit.bind(machine.disk);
  machine.disk.submit = (request) => {
    visible.push(machine.driver.queue().takeUsed().length + (visible.at(-1) ?? 0));
    submit(request);
  };
  // Every other place, so that none is merged.
  for (let i = 0; i < requests; i++) machine.addRead((i * 2 * bytes) / 512, bytes);
  machine.turn();
  return visible;
}

test('K6 a driver sees the first long completions of a batch while the device works on the rest', () => {
  expect(visibleAtEachSubmit(4, 256 * KiB)).toEqual([0, 1, 2, 3]);
  expect(visibleAtEachSubmit(5, 128 * KiB)).toEqual([0, 0, 2, 2, 4]);
});

test('K6 of short ones a driver sees the first eight while the device works on the rest', () => {
  const requests = Array.from({ length: 16 }, (_, i) => i);
  expect(visibleAtEachSubmit(16, 4 * KiB)).toEqual(requests.map((i) => i - (i % 8)));
  // A driver that does not look meanwhile is interrupted once.
  const machine = new BlkMachine().boot();
  for (const i of requests) machine.addRead(i * 16, 4 * KiB);
  expect(machine.turn()).toHaveLength(16);
  expect(machine.rises).toBe(1);
});
