import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { linuxInLockstep } from '../../bench/cpu-lockstep.ts';

const build = new URL('../../build/', import.meta.url);

/** What the script's awk computes. */
function sameSum(): string {
  let [x, sum] = [1, 0];
  for (let i = 1; i < 20000; i++) {
    x = x / 3 + i / (x + 1);
    sum += Math.trunc(x) * 0.1 - x;
  }
  return sum.toFixed(9);
}

describe('Linux, interpreted and translated in lockstep', () => {
  it.runIf(existsSync(new URL('guest/Image', build)))(
    'boots and runs a script without any difference in registers or memory',
    () => {
      const maxInstructions = Number(process.env['LOCKSTEP_INSTRUCTIONS'] ?? 4e9);
      const { difference, output, translations } = linuxInLockstep({ build, maxInstructions });
      expect(difference).toBeUndefined();
      expect(output).toContain('script is over');
      expect(output).toContain(`awk ${sameSum()}`);
      expect(translations?.units).toBeGreaterThan(1000);
    },
    300_000,
  );
});
