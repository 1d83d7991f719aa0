import { describe, expect, it } from 'vitest';
import { guestFilesPreparer, withDefaultGuest } from './guest-files.ts';
import { ImageStore } from './image-store.ts';
import type { GuestFile, GuestManifest } from './manifest.ts';

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

describe('guestFilesPreparer', () => {
  it('does not wait for the answer of a person who is asked whether to keep the disks', async () => {
    const fetched: string[] = [];
    class Store extends ImageStore {
      override size(): Promise<undefined> {
        return Promise.resolve(undefined);
      }
      override fetch(name: string): Promise<void> {
        fetched.push(name);
        return Promise.resolve();
      }
      override persist(): Promise<boolean> {
        return new Promise(() => {});
      }
    }
    const file: GuestFile = {
      file: 'Image',
      bytes: 1,
      sha256: 'x',
      gzip: { file: 'Image.gz', bytes: 1, chunkBytes: 1, chunks: [] },
    };
    const prepare = guestFilesPreparer(
      new Store(),
      () => Promise.resolve({ ok: true, manifest: { ...manifest, files: { Image: file } } }),
      new URL('http://here/'),
    );
    await prepare(['-kernel', 'Image'], () => {}, new AbortController().signal);
    expect(fetched).toEqual(['Image']);
  });
});
