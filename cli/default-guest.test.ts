import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../src/engine/index.ts';
import { defaultArguments } from './default-guest.ts';

let folder: string;
const copies: string[] = [];
const manifest = {
  available: true,
  default: { kernel: 'stock', disk: 'rootfs' },
  kernels: { stock: { image: 'Image', initrd: 'initrd.gz', append: 'root=/dev/vda rw' } },
  disks: { rootfs: { file: 'root,fs.ext4' } },
};
const write = (change: object = {}): void =>
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, ...change }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'default-guest-'));
  copies.length = 0;
  write();
});
afterEach(() => rmSync(folder, { recursive: true }));

function complete(text: string) {
  const given = text === '' ? [] : text.split(' ').map((word) => word.replaceAll('_', ' '));
  const parsed = parseCommandLine(given);
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error(`not a machine: ${text}`);
  return defaultArguments(given, parsed.value.config, folder, (image) => {
    copies.push(image);
    return `/tmp/copy,of,it`;
  });
}
function configOf(text: string) {
  const argv = complete(text);
  if (!argv.ok) throw new Error(argv.error.desc);
  const parsed = parseCommandLine(argv.value);
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error('what it makes is no machine');
  return parsed.value.config;
}

describe('the default guest', () => {
  it("is the kernel with its disk on a context of its own, by the proposal's command line", () => {
    const { boot, objects, drives, devices } = configOf('');
    expect(boot).toMatchObject({
      kernel: join(folder, 'Image'),
      initrd: join(folder, 'initrd.gz'),
      append: 'root=/dev/vda rw',
    });
    expect(objects).toMatchObject([{ id: 'ctx0', type: 'glib-qcontext' }]);
    // Commas in file names survive the option syntax.
    expect(drives).toMatchObject([{ id: 'drive0', protocol: { filename: '/tmp/copy,of,it' } }]);
    expect(devices).toMatchObject([{ id: 'disk0', props: { drive: 'drive0', context: 'ctx0' } }]);
    expect(copies).toEqual([join(folder, 'root,fs.ext4')]);
  });

  it('stays away from ids the user has given', () => {
    const { objects, drives, devices } = configOf(
      '-object iothread,id=ctx0 -drive driver=memory,size=1M,if=none,id=drive0 -device virtio-blk,drive=drive0,id=disk0',
    );
    expect(objects.map(({ id }) => id)).toEqual(['ctx1', 'ctx0']);
    expect(drives.map(({ id }) => id)).toEqual(['drive1', 'drive0']);
    // Its own disk is the first, so that it is /dev/vda.
    expect(devices.map(({ id }) => id)).toEqual(['disk1', 'disk0']);
  });

  it.each([
    ['-append quiet', 'root=/dev/vda rw quiet'],
    ['--append quiet_splash', 'root=/dev/vda rw quiet splash'],
    ['-append one -append two', 'root=/dev/vda rw two'],
  ])('%s adds to its own kernel command line', (text, append) => {
    expect(configOf(text).boot.append).toBe(append);
  });

  it('is not added to a machine that has a kernel or firmware', () => {
    for (const text of ['-kernel Image', '-bios fw.bin']) {
      expect(complete(text)).toEqual({ ok: true, value: text.split(' ') });
    }
    expect(copies).toEqual([]);
  });

  it('that is not there is refused with a way out', () => {
    write({ available: false, reason: 'no apt here' });
    expect(complete('')).toMatchObject({
      ok: false,
      error: { desc: expect.stringContaining('no apt here') as string },
    });
    rmSync(join(folder, 'manifest.json'));
    expect(complete('')).toMatchObject({
      ok: false,
      error: { hint: expect.stringContaining('npm run guest') as string },
    });
    expect(copies).toEqual([]);
  });
});
