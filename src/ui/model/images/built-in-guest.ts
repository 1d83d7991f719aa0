/** The built-in guest: a program the page assembles itself, so that there is a machine without any download. */
export const BUILT_IN_KERNEL = 'baremetal.bin';
/** The disk it works on; made empty when first needed. */
export const BUILT_IN_DISK = 'scratch.img';
export const BUILT_IN_DISK_BYTES = 64 * 1024 * 1024;

/** The RFC's command line for the built-in guest. */
export const builtInCommandLine = (): string =>
  [
    '-machine virt',
    '-m 64',
    `-kernel ${BUILT_IN_KERNEL}`,
    '-object glib-qcontext,id=ctx0,threaded=yes',
    '-object glib-qcontext,id=ctx1,threaded=yes',
    `-drive if=none,id=drive0,file=${BUILT_IN_DISK},format=raw`,
    '-device virtio-blk,id=disk0,drive=drive0,scsi=off,x-data-plane=on,context=ctx0',
  ].join('\n');
