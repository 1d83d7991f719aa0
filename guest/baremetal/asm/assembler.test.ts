import { describe, expect, test } from 'vitest';
import { AssemblyError, assemble, type SourceFiles } from './index.ts';

const words = (source: string, more: SourceFiles = {}): string[] => {
  const { image } = assemble('main.s', { 'main.s': source, ...more });
  const view = new DataView(image.buffer);
  return Array.from({ length: Math.floor(image.length / 4) }, (_, i) =>
    view
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, '0'),
  );
};

const complaints = (source: string, more: SourceFiles = {}): readonly string[] => {
  try {
    assemble('main.s', { 'main.s': source, ...more });
  } catch (error) {
    if (error instanceof AssemblyError) return error.diagnostics;
    throw error;
  }
  return [];
};

describe('labels', () => {
  test('forward and backward references are distances', () => {
    expect(words('start: j end\nnop\nend: j start').slice(0, 3)).toEqual([
      '0080006f',
      '00000013',
      'ff9ff06f',
    ]);
  });

  test('a numeric label may be defined again, b and f look either way', () => {
    const again = words('1: bnez a0, 1b\n1: bnez a0, 1f\nj 1b\n1: nop');
    expect(again.slice(0, 4)).toEqual(['00051063', '00051463', 'ffdff06f', '00000013']);
  });

  test('labels are reported as offsets from the load address, sections in order', () => {
    const { labels, bssSize, image } = assemble('main.s', {
      'main.s': '.bss\nroom: .skip 40\n.section .rodata\ntext: .asciz "hi"\n.text\nfirst: nop\nsecond: nop',
    });
    expect(Object.fromEntries(labels)).toEqual({ first: 0, second: 4, text: 16, room: 32 });
    expect(bssSize).toBe(40);
    expect(image.length).toBe(32);
  });

  test('a table of differences of labels needs no address', () => {
    expect(words('table: .word one - table, two - table\none: nop\ntwo: nop').slice(0, 2)).toEqual([
      '00000008',
      '0000000c',
    ]);
  });

  test('a symbol can be loaded and stored by name, across sections', () => {
    const program = words('ld a0, value\nsd a0, value, t0\n.data\n.skip 8\nvalue: .dword 7');
    expect(program.slice(0, 4)).toEqual(['00000517', '01853503', '00000297', '00a2b823']);
  });
});

describe('directives', () => {
  test('.struct names offsets', () => {
    const source =
      '.struct 0\nA: .skip 4\n.balign 8\nB: .skip 8\nSIZE:\n.text\nlw a0, A(a1)\nsd a0, B(a1)\nli a0, SIZE';
    expect(words(source).slice(0, 3)).toEqual(['0005a503', '00a5b423', '01000513']);
  });

  test('.balign pads to the boundary', () => {
    expect(words('.byte 1\n.balign 8\n.byte 2').slice(0, 3)).toEqual(['00000001', '00000000', '00000002']);
  });

  test('.include reads another file in place', () => {
    expect(words('.include "a.s"\nli a0, X', { 'a.s': '.equ X, 5' })[0]).toBe('00500513');
  });

  test('comments end lines, but not inside strings', () => {
    const { image } = assemble('main.s', { 'main.s': '.ascii "#//" # a comment\n.byte \'#\' // another' });
    expect(Buffer.from(image.slice(0, 4)).toString()).toBe('#//#');
  });
});

describe('macros', () => {
  test('parameters are replaced, \\@ counts expansions', () => {
    const source =
      '.macro twice reg, n\nl\\@: addi \\reg, \\reg, \\n\nj l\\@\n.endm\ntwice a0, 1\ntwice a1, 2';
    expect(words(source).slice(0, 4)).toEqual(['00150513', 'ffdff06f', '00258593', 'ffdff06f']);
  });

  test('a string argument keeps its commas and loses its quotes', () => {
    const source = '.macro text t\n.asciz "\\t"\n.endm\ntext "a, b\\n"';
    expect(
      Buffer.from(assemble('main.s', { 'main.s': source }).image)
        .toString('latin1')
        .slice(0, 6),
    ).toBe('a, b\n\0');
  });

  test('a macro that calls itself is refused', () => {
    expect(complaints('.macro m\nm\n.endm\nm')[0]).toContain('expands into itself');
  });
});

describe('mistakes are named with their place', () => {
  test.each([
    ['frobnicate a0', "unknown instruction 'frobnicate'"],
    ['add a0, a1', 'takes 3 operands, 2 given'],
    ['mv a0', "'mv' does not take 1 operands"],
    ['addi a0, a1, 2048', '2048 is out of range -2048…2047'],
    ['slliw a0, a1, 32', '32 is out of range 0…31'],
    ['add a0, a1, b1', "'b1' is not an integer register"],
    ['lw a0, 4096(a1)', '4096 is out of range -2048…2047'],
    ['lw a0, 4(b1)', "unexpected '('"],
    ['j nowhere', "'nowhere' is not defined"],
    ['beqz a0, 1b', "there is no label '1:' before this line"],
    ['j 1f', "'1' is not defined"],
    ['beqz a0, far\n.skip 5000\nfar:', 'the target is 5004 bytes away, ±4096 are possible'],
    ['beqz a0, odd\n.byte 1\nodd:', 'the target is at an odd address'],
    ['li a0, 0x10000000000000000', 'does not fit 64 bits'],
    ['li a0, later\n.equ later, 1', "'later' is not defined before this line"],
    ['x: li a0, x', "'x' is a label, a constant is needed here"],
    ['x: .dword x', 'an absolute address would tie the program to one place'],
    ['.byte 256', '256 does not fit 8 bits'],
    ['.word', 'data is missing'],
    ['x:\nx:', "'x' is defined twice"],
    ['.equ y, 1 +', 'an expression is missing'],
    ['.equ y, (1', "missing ')'"],
    ['.equ y, 1 / 0', 'division by zero'],
    ['.equ y, 010', 'write octal numbers in hexadecimal'],
    ['.frob', "unknown directive '.frob'"],
    ['.section .frob', "unknown section '.frob'"],
    ['.include "missing.s"', "there is no file 'missing.s'"],
    ['.macro m a', "'.macro' without '.endm'"],
    ['.macro m a\n.endm\nm 1, 2', "macro 'm' takes 1 arguments, 2 given"],
    ['.ascii hello', "expected a string in double quotes, found 'hello'"],
    ['.ascii "\\q"', "unknown escape '\\q'"],
    ['.data\nnop', 'instructions belong into .text'],
    ['.bss\n.word 1', '.bss holds no data'],
    ['.balign 3', '3 is not a power of two'],
    ['la a0, 4', "expected a label, '4' is a plain number"],
    ['amoadd.w a0, a1, 4(a2)', 'atomic instructions take no offset'],
    ['fence x, w', "'x' is not a set of i, o, r, w"],
    ['csrr a0, nope', "'nope' is not defined"],
  ])('%j', (source, message) => {
    const [first = ''] = complaints(source);
    expect(first).toContain(message);
    expect(first).toMatch(/^main\.s:\d+: /);
  });

  test('every mistake of a program is listed, in its own file and line', () => {
    const list = complaints('nop\nbad1\n.include "a.s"\nbad2', { 'a.s': '\n\nbad3' });
    expect(list.map((entry) => entry.split(':').slice(0, 2).join(':'))).toEqual([
      'main.s:2',
      'a.s:3',
      'main.s:4',
    ]);
  });

  test('a file that includes itself is refused', () => {
    expect(complaints('.include "main.s"').join()).toContain("'main.s' includes itself");
  });
});
