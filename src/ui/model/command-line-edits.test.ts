import { describe, expect, it } from 'vitest';
import {
  addContext,
  addDisk,
  removeContext,
  removeOption,
  setOption,
  setTranslates,
  translates,
} from './command-line-edits.ts';

const text = `-m 256
-object glib-qcontext,id=ctx0,threaded=yes
-drive if=none,id=drive0,file=a.img # root
-device virtio-blk,id=disk0,drive=drive0`;

describe('edits of a command line', () => {
  it('sets an option in place or adds it', () => {
    expect(setOption(text, '-m', '512')).toBe(text.replace('256', '512'));
    expect(setOption(text, '-kernel', 'my kernel')).toBe(`-kernel 'my kernel'\n${text}`);
  });
  it('takes an option away with its line, or out of its line', () => {
    expect(removeOption(text, '-m')).toBe(text.replace('-m 256\n', ''));
    expect(removeOption('-S -m 256 -smp 2', '-m')).toBe('-S -smp 2');
    expect(removeOption(text, '-initrd')).toBe(text);
  });
  it('switches the translator off and on again', () => {
    expect(translates(text)).toBe(true);
    const off = setTranslates(text, false);
    expect(off).toBe(`-accel tcg,jit=off\n${text}`);
    expect(translates(off)).toBe(false);
    expect(setTranslates(off, true)).toBe(text);
    expect(setTranslates(text, true)).toBe(text);
    expect(setTranslates('-accel tcg,thread=multi -S', false)).toBe('-accel tcg,thread=multi,jit=off -S');
    expect(setTranslates('-accel tcg,jit=no,thread=multi', true)).toBe('-accel tcg,thread=multi');
    expect(translates('--accel tcg,jit=yes')).toBe(true);
  });
  it('adds a disk with free ids', () => {
    expect(addDisk(text, 'b.img').slice(text.length)).toBe(
      '\n-drive if=none,id=drive1,file=b.img,format=raw\n-device virtio-blk,id=disk1,drive=drive1',
    );
  });
  it('adds and takes away a context, leaving the rest as written', () => {
    const added = addContext(text, 'ctx1');
    expect(added.endsWith('\n-object glib-qcontext,id=ctx1,threaded=yes')).toBe(true);
    expect(removeContext(added, 'ctx1').trimEnd()).toBe(text);
    expect(removeContext(text, 'ctx0')).toBe(
      text.replace('-object glib-qcontext,id=ctx0,threaded=yes\n', ''),
    );
    expect(removeContext(text, 'ctx9')).toBe(text);
  });
});
