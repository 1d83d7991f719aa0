import { describe, expect, it } from 'vitest';
import { commonPrefix, parseQmpLine } from './monitor.ts';

describe('parseQmpLine', () => {
  it('reads the short form and the whole object', () => {
    expect(parseQmpLine('query-status')).toEqual({ ok: true, execute: 'query-status', args: undefined });
    expect(parseQmpLine('qom-get {"path":"/"}')).toEqual({
      ok: true,
      execute: 'qom-get',
      args: { path: '/' },
    });
    expect(parseQmpLine('{"execute":"stop","arguments":{"a":1}}')).toEqual({
      ok: true,
      execute: 'stop',
      args: { a: 1 },
    });
  });
  it('says what is wrong', () => {
    expect(parseQmpLine('{"exec":1}').ok).toBe(false);
    expect(parseQmpLine('qom-get [1]').ok).toBe(false);
    expect(parseQmpLine('qom-get {').ok).toBe(false);
  });
});

describe('commonPrefix', () => {
  it('is what all candidates begin with', () => {
    expect(commonPrefix(['info block', 'info blockstats', 'info bridge'])).toBe('info b');
    expect(commonPrefix([])).toBe('');
  });
});
