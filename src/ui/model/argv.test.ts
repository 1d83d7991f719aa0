import { describe, expect, it } from 'vitest';
import { formatArgv, quoteArg, splitArgv, splitOpts, withContext } from './argv.ts';

const values = (text: string): string[] => {
  const result = splitArgv(text);
  if (!result.ok) throw new Error(result.message);
  return result.tokens.map((token) => token.value);
};

describe('splitArgv', () => {
  it('splits at white space and honours quotes, escapes, continuation and comments', () => {
    expect(values(`-m 256 \\\n -append 'a "b"' # note\n -x "q\\"r" a\\ b ''`)).toEqual([
      '-m',
      '256',
      '-append',
      'a "b"',
      '-x',
      'q"r',
      'a b',
      '',
    ]);
  });
  it('reports where an open quote began', () => {
    expect(splitArgv(`-append "never`)).toMatchObject({ ok: false, start: 8 });
  });
  it('keeps the place of each argument', () => {
    const result = splitArgv(`-m  'x y'`);
    expect(result.ok && result.tokens[1]).toEqual({ value: 'x y', start: 4, end: 9 });
  });
});

describe('formatArgv', () => {
  it('gives text that splits into the same arguments', () => {
    const argv = ['-machine', 'virt', '-S', '-append', "root=/dev/vda it's", '-device', 'a,b=c', 'stray', ''];
    expect(values(formatArgv(argv))).toEqual(argv);
    expect(formatArgv(['-S', '-m', '256']).split('\n')).toEqual(['-S', '-m 256']);
  });
  it('quotes only where needed', () => {
    expect(quoteArg('virtio-blk,drive=d0')).toBe('virtio-blk,drive=d0');
    expect(quoteArg("it's")).toBe(`'it'\\''s'`);
  });
});

describe('withContext', () => {
  const text = '-object glib-qcontext,id=ctx0 # mine\n-device virtio-blk,id=disk0,drive=d0,context=main\n-S';
  it('changes context= of the device with that id and leaves the rest of the text alone', () => {
    const edit = withContext(text, 'disk0', 'ctx0');
    expect(edit?.text).toBe(text.replace('context=main', 'context=ctx0'));
    expect(edit?.before).toBe('-device virtio-blk,id=disk0,drive=d0,context=main');
    expect(edit?.after).toBe('-device virtio-blk,id=disk0,drive=d0,context=ctx0');
  });
  it('adds it where absent and keeps iothread= where used', () => {
    expect(withContext('-device virtio-blk,id=a', 'a', 'c')?.text).toBe('-device virtio-blk,id=a,context=c');
    expect(withContext('-device virtio-blk,id=a,iothread=x', 'a', 'c')?.text).toBe(
      '-device virtio-blk,id=a,iothread=c',
    );
  });
  it('has no answer for a device without an argument', () => {
    expect(withContext(text, 'disk', 'ctx0')).toBeUndefined();
  });
  it('does not split at doubled commas', () => {
    expect(splitOpts('file=a,,b,id=c')).toEqual(['file=a,,b', 'id=c']);
  });
});
