import { describe, expect, it } from 'vitest';
import { MAX_NESTING } from '../qom/options/json.ts';
import { type Frame, QmpFramer } from './framer.ts';

/** mulberry32: small, seeded, good enough to split strings. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const whole = (text: string, limit?: number): readonly Frame[] => new QmpFramer(limit).push(text);
const text = (value: string): Frame => ({ kind: 'text', text: value });

describe('cutting a stream into JSON texts', () => {
  it.each([
    ['{"a":1}', ['{"a":1}']],
    ['  {"a":1}\r\n{"b":2}{"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']],
    ['{\n  "a": {\n    "b": [\n {},\n {} ]\n  }\n}\n', ['{\n  "a": {\n    "b": [\n {},\n {} ]\n  }\n}']],
    ['{"a":"}{][\\"\\\\"}{}', ['{"a":"}{][\\"\\\\"}', '{}']],
    ["{'a':'\"'}", ["{'a':'\"'}"]],
    ['[1]\n', ['[1]']],
    ['5\n"x"\n{}', ['5', '"x"', '{}']],
    ['garbage here\n{}', ['garbage here', '{}']],
    ['{"a" 1 b}', ['{"a" 1 b}']],
  ])('%j', (input, expected) => {
    expect(whole(input)).toEqual(expected.map(text));
  });

  it('an unfinished command waits', () => {
    const framer = new QmpFramer();
    expect(framer.push('{"a":')).toEqual([]);
    expect(framer.push(' "x')).toEqual([]);
    expect(framer.push('y"}')).toEqual([text('{"a": "xy"}')]);
  });

  it.each([
    ['{"a": "b\n{"c":1}', 'premature end of a string', '{"c":1}'],
    ['{"a": 1\n{"c":1}', 'expected separator in dict', '{"c":1}'],
    ['["a"\n{"c":1}', 'expected separator in list', '{"c":1}'],
    [`${'['.repeat(MAX_NESTING + 1)}\n{"c":1}`, 'nesting depth', '{"c":1}'],
  ])('%j is an error, and the next line is read', (input, desc, next) => {
    const [error, frame, ...more] = whole(input);
    expect(error).toMatchObject({ kind: 'error', desc: expect.stringContaining(desc) });
    expect(frame).toEqual(text(next));
    expect(more).toEqual([]);
  });

  it.each(['{"a": 1]', '{"a"]', '[1}'])(
    '%j closes another bracket: it is cut there, the line dropped',
    (wrong) => {
      expect(whole(`${wrong} more }}}\n{"c":1}`)).toEqual([text(wrong), text('{"c":1}')]);
    },
  );

  it('a line without an end is refused once, and memory stays bounded', () => {
    const framer = new QmpFramer(1000);
    const frames: Frame[] = [];
    for (let i = 0; i < 100; i++) frames.push(...framer.push(`{"a":"${'x'.repeat(100)}`));
    frames.push(...framer.push('\n{"b":1}\n'));
    expect(frames).toHaveLength(2);
    expect(frames[0]).toMatchObject({ kind: 'error', desc: expect.stringContaining('token size limit') });
    expect(frames[1]).toEqual(text('{"b":1}'));
  });

  it('junk without an end is refused as well', () => {
    const framer = new QmpFramer(1000);
    const frames = Array.from({ length: 30 }, () => framer.push('x'.repeat(100))).flat();
    expect(frames.map((frame) => frame.kind)).toEqual(['error']);
  });

  it('however the stream is split, the frames are the same', () => {
    const stream = [
      '{"execute":"qmp_capabilities"}\r\n',
      '{"execute":"a","arguments":{"x":"\\"}{\\u00e9","y":[1,{"z":null}]}}{"execute":"b"}',
      '\n\n  junk } {\n',
      '{"broken": "\n{"execute":"c"}\n',
      '{"unclosed":\n [1,2\n{"execute":"d"}',
      '{"e":"𝛑"}\n]\n{"f":1}',
    ].join('');
    const expected = whole(stream);
    expect(expected.filter((frame) => frame.kind === 'text').length).toBeGreaterThan(7);
    for (let seed = 1; seed <= 300; seed++) {
      const next = random(seed);
      const framer = new QmpFramer();
      const frames: Frame[] = [];
      for (let at = 0; at < stream.length; ) {
        const size = 1 + Math.floor(next() * (seed % 3 === 0 ? 40 : 4));
        frames.push(...framer.push(stream.slice(at, at + size)));
        at += size;
      }
      expect(frames, `seed ${seed}`).toEqual(expected);
    }
  });

  it('random bytes never throw, and a command on a line of its own is read after them', () => {
    const alphabet = '{}[]"\'\\:,0a \n\té';
    for (let seed = 1; seed <= 500; seed++) {
      const next = random(seed);
      let noise = '';
      for (let i = 0; i < 60; i++) noise += alphabet.charAt(Math.floor(next() * alphabet.length));
      const framer = new QmpFramer();
      framer.push(noise);
      // Two lines end what the noise left open: a string ends at the first, an object at the second.
      const frames = framer.push('"\n]\n{"execute":"x"}\n');
      expect(frames.at(-1), `seed ${seed}: ${JSON.stringify(noise)}`).toEqual(text('{"execute":"x"}'));
    }
  });
});
