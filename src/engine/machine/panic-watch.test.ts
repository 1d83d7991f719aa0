import { describe, expect, it } from 'vitest';
import { PanicWatch } from './panic-watch.ts';

function watch() {
  const told: string[] = [];
  const panic = new PanicWatch((detail) => told.push(detail));
  const print = (text: string): void => panic.output(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  return { told, panic, print };
}

describe('PanicWatch', () => {
  it('tells the whole line, however it is cut into pieces', () => {
    const { told, print } = watch();
    for (const char of '[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n[  1.3] CPU: 0\r\n')
      print(char);
    expect(told).toEqual(['Kernel panic - not syncing: VFS: Unable to mount root fs']);
  });

  it('tells it once, and again after a reset', () => {
    const { told, panic, print } = watch();
    print('panic: kerneltrap\n');
    print('panic: again\n');
    expect(told).toEqual(['panic: kerneltrap']);
    panic.reset();
    print('panic: after reset\n');
    expect(told).toHaveLength(2);
  });

  it('says nothing of ordinary output, and keeps little of it', () => {
    const { told, print } = watch();
    print(`${'x'.repeat(100_000)} no panic here\r\nroot@qcontext:~# `);
    expect(told).toEqual([]);
  });
});
