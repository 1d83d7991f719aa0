import { describe, expect, it } from 'vitest';
import { CharMux } from './char-mux.ts';

describe('several front ends on one terminal', () => {
  function mux() {
    const got = { serial: '', monitor: '', printed: '', exits: 0 };
    const chars = new CharMux(
      (text) => {
        got.printed += text;
      },
      () => {
        got.exits++;
      },
    );
    chars.add({ receive: (text) => (got.serial += text) });
    chars.add({ receive: (text) => (got.monitor += text) });
    return { chars, got };
  }

  it('Ctrl-A c switches, also in the middle of a chunk', () => {
    const { chars, got } = mux();
    chars.receive('ls\r\x01cinfo\r');
    chars.receive('\x01');
    chars.receive('cpwd');
    expect(got).toMatchObject({ serial: 'ls\rpwd', monitor: 'info\r' });
  });

  it('Ctrl-A Ctrl-A is Ctrl-A; x exits; h helps; anything else is nothing', () => {
    const { chars, got } = mux();
    chars.receive('a\x01\x01b\x01zc\x01h\x01x');
    expect(got).toMatchObject({ serial: 'a\x01bc', exits: 1 });
    expect(got.printed).toContain('C-a x');
  });
});
