import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assembleBareMetal, assembleBareMetalProgram } from './index.ts';

const text = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
const names = (file: string, macro: string): string[] =>
  Array.from(text(file).matchAll(new RegExp(`^ +${macro} +"(\\w+)"`, 'gm')), (match) => match[1] ?? '');
const help = Array.from(text('menu.s').matchAll(/\.asci[iz] +"(.*)\\n"/g), (match) => match[1]).join('\n');

describe('the image', () => {
  const { image, bssSize, labels } = assembleBareMetalProgram();
  const view = new DataView(image.buffer);

  test('begins with the header of a RISC-V kernel image, version 0.2', () => {
    expect(Buffer.from(image.slice(0x30, 0x38)).toString('latin1')).toBe('RISCV\0\0\0');
    expect(Buffer.from(image.slice(0x38, 0x3c)).toString('latin1')).toBe('RSC\x05');
    expect(view.getUint32(0x20, true)).toBe(2);
  });

  test('asks for room for everything it uses', () => {
    expect(view.getBigUint64(0x10, true)).toBe(BigInt(image.length + bssSize));
    expect(labels.get('_end')).toBe(image.length + bssSize);
  });

  test('the jump over the header lands on the first instruction', () => {
    // J start: the 21-bit distance of a short forward jump sits in bits 30…21.
    expect(((view.getUint32(0, true) >>> 21) & 0x3ff) * 2).toBe(labels.get('start'));
  });

  test('is the same each time', () => {
    expect(Buffer.compare(assembleBareMetal(), image)).toBe(0);
  });
});

describe('the menu', () => {
  const commands = names('menu.s', 'command');
  const options = names('job.s', 'option');

  test('there are commands and options', () => {
    expect(commands).toContain('verify');
    expect(options).toContain('qd');
  });

  test.each(commands.filter((name) => name !== 'help'))('help and README name the command %s', (name) => {
    expect(help).toMatch(new RegExp(`\\b${name}\\b`));
    expect(text('README.md')).toContain(`\`${name}`);
  });

  test.each(options)('help and README name the option %s', (name) => {
    expect(help).toMatch(new RegExp(`\\b${name}\\b`));
    expect(text('README.md')).toContain(`\`${name}`);
  });

  test('rows of the tables keep their 16 bytes', () => {
    for (const name of [...commands, ...options]) expect(name.length).toBeLessThan(12);
    for (const name of names('cpu.s', 'kernel')) expect(name.length).toBeLessThan(8);
  });
});
