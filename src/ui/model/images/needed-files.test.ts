import { expect, it } from 'vitest';
import { neededFiles } from './needed-files.ts';

it('finds the files a command line names', () => {
  expect(
    neededFiles([
      '-kernel',
      'Image',
      '--initrd',
      'initrd.cpio',
      '-bios',
      'default',
      '-drive',
      'if=none,id=d,file=a,,b.img,format=raw',
      '-blockdev',
      'driver=file,filename=c.img,node-name=n',
      '-append',
      'root=/dev/vda file=no.img',
    ]),
  ).toEqual([
    { name: 'Image', use: 'kernel' },
    { name: 'initrd.cpio', use: 'initrd' },
    { name: 'a,b.img', use: 'disk' },
    { name: 'c.img', use: 'disk' },
  ]);
});
