import { describe, expect, it } from 'vitest';
import { LineTracker } from './line-tracker.ts';

const after = (...typed: string[]): boolean => {
  const line = new LineTracker();
  for (const data of typed) line.typed(data);
  return line.started;
};

describe('LineTracker', () => {
  it('has no line before anything is typed, nor after Enter, ^C, ^D and ^U', () => {
    expect(after()).toBe(false);
    for (const end of ['\r', '\x03', '\x04', '\x15']) expect(after('ls', end)).toBe(false);
  });
  it('has one while characters stand', () => {
    expect(after('ls')).toBe(true);
    expect(after('ls', '\x7f')).toBe(true);
    expect(after('ls', '\x7f', '\x7f', '\x7f')).toBe(false);
  });
  it('takes a recalled line for a started one, other arrows for nothing', () => {
    expect(after('\x1b[A')).toBe(true);
    expect(after('\x1b[C')).toBe(false);
  });
});
