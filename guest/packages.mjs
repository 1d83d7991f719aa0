// @ts-check
/**
 * What the guest is made of: names of packages in Debian, and which of their files are shipped.
 *
 * A pattern is a GNU tar wildcard on the member's name (`./usr/bin/bash`). The `copyright` file of each package is
 * always shipped, so that every file on the disk has its licence beside it.
 */

/** The Debian release the guest runs and the release whose source package of fio is compiled. */
export const SUITE = 'trixie';
export const FIO_SUITE = 'bookworm';
export const ARCH = 'riscv64';

/** Meta package that depends on the newest stock kernel. */
export const KERNEL_META = 'linux-image-riscv64';

/** Source of the tuned kernel (`--kernel=tuned`). */
export const KERNEL_SOURCE = 'linux-source-6.12';

/** Static libaio for the cross-compiled fio. */
export const LIBAIO = 'libaio-dev';

const LIBRARIES = ['./usr/lib/riscv64-linux-gnu/lib*.so*'];
const PROGRAMS = ['./usr/bin/*', './usr/sbin/*'];

/** @type {Readonly<Record<string, readonly string[]>>} */
export const ROOT_PACKAGES = {
  'base-files': [
    './usr/lib/os-release',
    './etc/os-release',
    './etc/debian_version',
    './usr/share/common-licenses',
  ],
  bash: ['./usr/bin/bash'],
  'busybox-static': ['./usr/bin/busybox'],
  coreutils: ['./usr/bin/*'],
  e2fsprogs: [...PROGRAMS, './etc/mke2fs.conf'],
  fdisk: ['./usr/sbin/*'],
  libacl1: LIBRARIES,
  libattr1: LIBRARIES,
  libblkid1: LIBRARIES,
  libc6: [...LIBRARIES, './usr/lib/riscv64-linux-gnu/ld-linux*', './usr/lib/ld-linux*'],
  'libc-bin': ['./usr/lib/locale/C.utf8', './usr/bin/getconf', './usr/bin/ldd'],
  libcap2: LIBRARIES,
  'libcom-err2': LIBRARIES,
  libext2fs2t64: LIBRARIES,
  libfdisk1: LIBRARIES,
  libgmp10: LIBRARIES,
  libmount1: LIBRARIES,
  'libpcre2-8-0': LIBRARIES,
  libreadline8t64: LIBRARIES,
  libselinux1: LIBRARIES,
  libsmartcols1: LIBRARIES,
  libss2: LIBRARIES,
  libtinfo6: LIBRARIES,
  libudev1: LIBRARIES,
  libuuid1: LIBRARIES,
  mount: PROGRAMS,
  'ncurses-base': ['./usr/share/terminfo/*'],
  strace: ['./usr/bin/strace'],
  'util-linux': PROGRAMS,
};

/** Programs a visitor is promised; the build fails without one of them. */
export const REQUIRED = [
  'bash',
  'sh',
  'ls',
  'cat',
  'cp',
  'dd',
  'df',
  'md5sum',
  'sha256sum',
  'sync',
  'stty',
  'sleep',
  'grep',
  'ps',
  'top',
  'vi',
  'ip',
  'udhcpc',
  'mount',
  'umount',
  'mkfs.ext4',
  'e2fsck',
  'tune2fs',
  'debugfs',
  'resize2fs',
  'blkid',
  'lsblk',
  'blockdev',
  'fdisk',
  'findmnt',
  'fstrim',
  'lscpu',
  'dmesg',
  'taskset',
  'strace',
  'poweroff',
  'reboot',
  'resize',
  'stress',
];

/**
 * Applets of busybox that get no link: they would pass for package managers or boot helpers that this disk does
 * not have.
 */
export const NO_APPLET = new Set([
  'busybox',
  'dpkg',
  'dpkg-deb',
  'rpm',
  'rpm2cpio',
  'init',
  'linuxrc',
  'run-init',
  'nuke',
  'resume',
  'mim',
]);

/**
 * Kernel modules of the stock kernel, by what asks for them. `base` is always loaded before the root file system is
 * mounted; `virtio-N` only if a virtio device with that device ID (virtio 1.2, section 5) is present; `disk` is not
 * loaded but put on the root disk for `modprobe`. Dependencies are added from the modules themselves.
 */
export const MODULES = {
  base: ['virtio_mmio', 'crc32c_generic', 'ext4'],
  'virtio-1': ['virtio_net'],
  'virtio-2': ['virtio_blk'],
  'virtio-4': ['virtio-rng'],
  'virtio-5': ['virtio_balloon'],
  disk: ['loop', 'overlay', '9p', '9pnet_virtio', 'dm-mod', 'nbd', 'null_blk'],
};

/**
 * Initial calls of the stock kernel that do nothing for this guest and take up to 20 million instructions each:
 * self-tests of cryptography, certificates for module signatures, tables for tracing and for TCP congestion control
 * written in BPF, /sys/kernel/slab.
 */
const BLACKLIST = [
  'jent_mod_init',
  'load_system_certificate_list',
  'crypto_kdf108_init',
  'blake2s_mod_init',
  'init_kprobe_trace',
  'trace_eval_init',
  'trace_eval_sync',
  'tracer_init_tracefs',
  'bpf_tcp_ca_kfunc_init',
  'bpf_dummy_struct_ops_init',
  'slab_sysfs_init',
];

/** Kernel command line of the default guest with the stock kernel. */
export const STOCK_APPEND = [
  'root=/dev/vda',
  'ro',
  'console=ttyS0',
  'quiet',
  'cryptomgr.notests',
  `initcall_blacklist=${BLACKLIST.join(',')}`,
  'init_on_alloc=0',
  'lsm=',
  'audit=0',
  'nowatchdog',
].join(' ');

export const TUNED_APPEND = 'root=/dev/vda ro console=ttyS0 quiet';
