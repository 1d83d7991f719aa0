import { describe, expect, it } from 'vitest';
import { assembleBareMetal } from '../../../guest/baremetal/index.ts';
import type { SupervisorHost } from '../host.ts';
import { parseCommandLine } from '../qom/options/parse.ts';
import { makeBootPlan } from './boot-plan.ts';

const dtb = (bytes: number): Uint8Array => {
  const file = new Uint8Array(bytes);
  file.set([0xd0, 0x0d, 0xfe, 0xed]);
  return file;
};
const files: Readonly<Record<string, Uint8Array>> = {
  kernel: assembleBareMetal(),
  text: new TextEncoder().encode('#!/bin/sh\necho not a kernel\n'),
  empty: new Uint8Array(0),
  initrd: new Uint8Array(4096).fill(7),
  dtb: dtb(1000),
  long: dtb(3 * 1024 * 1024),
};
const host = {
  kind: 'node',
  readFile: (name: string) => Promise.resolve(files[name]),
  randomBytes: (into: Uint8Array) => void into.fill(5),
} as unknown as SupervisorHost;

function plan(text: string) {
  const parsed = parseCommandLine(text.split(' '));
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error(`not a machine: ${text}`);
  return makeBootPlan(parsed.value.config, host);
}
async function refusal(text: string): Promise<string> {
  const made = await plan(text);
  if (made.ok) throw new Error(`accepted: ${text}`);
  return made.error.desc;
}
async function regions(text: string) {
  const made = await plan(text);
  if (!made.ok) throw new Error(made.error.desc);
  return made.value.regions;
}

describe('what a machine boots from', () => {
  it.each(['kernel', 'initrd', 'bios', 'dtb'])(
    '-%s of a file that is not there is refused',
    async (option) => {
      expect(await refusal(`-kernel kernel -${option} nowhere`)).toBe(`-${option} nowhere: no such file`);
    },
  );

  it.each(['text', 'empty'])('-kernel of a file that is not a kernel is refused: %s', async (file) => {
    expect(await refusal(`-kernel ${file}`)).toContain(`-kernel ${file}`);
  });

  it('-dtb must be a device tree, of a length it can have', async () => {
    expect(await refusal('-kernel kernel -dtb text')).toContain('not a flattened device tree');
    expect(await refusal('-kernel kernel -dtb empty')).toContain('not a flattened device tree');
    expect(await refusal('-kernel kernel -dtb long')).toContain('too long');
  });

  it("the user's device tree takes the place of ours", async () => {
    const ours = (await regions('-kernel kernel')).find(({ what }) => what === 'dtb');
    const theirs = (await regions('-kernel kernel -dtb dtb')).filter(({ what }) => what === 'dtb');
    expect(theirs).toHaveLength(1);
    expect(theirs[0]).toMatchObject({ addr: ours?.addr, bytes: files['dtb'] });
  });

  it('regions do not overlap', async () => {
    for (const text of ['-kernel kernel -initrd initrd', '-kernel kernel -initrd initrd -dtb dtb']) {
      const sorted = (await regions(text)).toSorted((a, b) => a.addr - b.addr);
      for (const [i, { addr, what }] of sorted.entries()) {
        const before = sorted[i - 1];
        if (before !== undefined)
          expect(before.addr + before.memoryBytes, `${before.what}, ${what}`).toBeLessThanOrEqual(addr);
      }
      expect(sorted.map(({ what }) => what)).toEqual(expect.arrayContaining(['kernel', 'initrd', 'dtb']));
    }
  });
});
