import { mount } from '../app/mount.tsx';
import { ImageStore } from '../model/images/image-store.ts';
import { ImagesModel } from '../model/images/images-model.ts';
import type { PreparationStep } from '../model/preparation.ts';
import { makeFakeVm } from './fake-vm.ts';

const COMMAND_LINE = `-machine virt
-m 256
-object glib-qcontext,id=ctx0,threaded=yes
-object glib-qcontext,id=ctx1,threaded=yes
-drive if=none,id=drive0,file=root.img,format=raw
-device virtio-blk,id=disk0,drive=drive0,scsi=off,x-data-plane=on,context=ctx0`;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const slow = new URLSearchParams(location.search).has('slow');

const { controller } = mount(document.getElementById('root') ?? document.body, {
  commandLine: COMMAND_LINE,
  defaultCommandLine: COMMAND_LINE,
  images: new ImagesModel(new ImageStore(), undefined, new URL(document.baseURI)),
  makeVm: makeFakeVm,
  prepare: async (_argv, report, signal) => {
    const total = 33_000_000;
    for (let done = 0; done <= total && !signal.aborted; done += total / 20) {
      const kernel: PreparationStep = {
        id: 'kernel',
        label: 'Downloading the kernel',
        state: 'running',
        doneBytes: done,
        totalBytes: total,
      };
      report([
        kernel,
        { id: 'disk', label: 'Creating root.img', state: 'waiting', doneBytes: 0, totalBytes: 134_217_728 },
      ]);
      await wait(slow ? 500 : 5);
    }
  },
});
void controller.powerOn();
