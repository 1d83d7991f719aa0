import { describe, expect, it } from 'vitest';
import { withDefaultGuest } from './guest-files.ts';
import type { GuestManifest } from './manifest.ts';

const manifest: GuestManifest = {
  schema: 1,
  available: true,
  default: { kernel: 'k', disk: 'd' },
  kernels: { k: { title: 'Linux', image: 'Image', initrd: 'initrd.cpio', append: 'root=/dev/vda' } },
  disks: { d: { title: 'Debian', file: 'rootfs.ext4', fio: true } },
  files: {},
  notes: [],
};

describe('withDefaultGuest', () => {
  it('leaves a command line that names a kernel or firmware alone', () => {
    expect(withDefaultGuest(['-kernel', 'mine'], manifest)).toEqual(['-kernel', 'mine']);
    expect(withDefaultGuest(['--bios', 'mine'], manifest)).toEqual(['--bios', 'mine']);
    expect(withDefaultGuest(['-m', '64'], undefined)).toEqual(['-m', '64']);
  });
  it('adds kernel, initrd and disk after the user’s arguments, with free ids', () => {
    const given = ['-object', 'glib-qcontext,id=ctx0', '-drive', 'id=drive0,if=none,file=a.img'];
    const all = withDefaultGuest(given, manifest);
    expect(all.slice(0, given.length)).toEqual(given);
    expect(all.slice(given.length)).toEqual([
      '-append',
      'root=/dev/vda',
      '-kernel',
      'Image',
      '-initrd',
      'initrd.cpio',
      '-drive',
      'if=none,id=drive1,file=rootfs.ext4,format=raw',
      '-device',
      'virtio-blk,id=disk0,drive=drive1,context=ctx0',
    ]);
  });
  it('takes the user’s own -append after the guest’s', () => {
    expect(withDefaultGuest(['-append', 'single'], manifest).slice(0, 2)).toEqual([
      '-append',
      'root=/dev/vda single',
    ]);
  });
});
