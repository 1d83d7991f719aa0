import {
  cpSync,
  existsSync,
  constants as fs,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleBareMetal } from '../../guest/baremetal/index.ts';
import { Browser, PageMachine, servePage, visit } from './browser.ts';
import { PROMPT, shell } from './conversation.ts';
import { buildToolsImage, QBENCH_PACKAGES } from './qbench.ts';
import { qemuDrive, QemuMachine, qemuVersion } from './qemu.ts';
import { fillPattern } from './raw-opfs.ts';
import { Unavailable } from './unavailable.ts';
import { V86Machine } from './v86.ts';
import { buildV86Guest } from './v86-guest.ts';

export interface LabOptions {
  readonly root: string;
  /** Folder of the built page. */
  readonly dist: string;
  /** Pairs of runs per figure. */
  readonly runs: number;
  /** Milliseconds per kernel run, and seconds per disk run are derived from it. */
  readonly kernelMs: number;
  /** More words for our machine's command line, e.g. `-accel tcg,jit=off`. */
  readonly machineArgs: readonly string[];
}

interface LinuxGuest {
  readonly title: string;
  readonly kernel: string;
  readonly initrd: string | undefined;
  readonly append: string;
  readonly disk: string;
}

/** The size of the disk that disk figures are taken on: in the host's page cache on both sides. */
export const DATA_BYTES = 256 * 1024 * 1024;

/**
 * The machines that are compared, started when first asked for and kept until `close`: a browser with the page, our
 * machine in it, and native QEMU with the same kernel, command line and copies of the same disks.
 */
export class Lab {
  readonly options: LabOptions;
  readonly #work: string;
  #server: Promise<{ url: string; close(): Promise<void> }> | undefined;
  #browser: Promise<Browser> | undefined;
  /** What runs in the page. */
  #on: 'linux 1' | 'linux 2' | 'bare' | undefined;
  #qemuLinux: Promise<QemuMachine> | undefined;
  #qemuBare: Promise<QemuMachine> | undefined;
  #v86: Promise<V86Machine> | undefined;
  readonly #uploaded = new Set<string>();
  /** Seconds from opening the page for the first time to the prompt: images are downloaded on the way. */
  firstVisitSeconds = Number.NaN;
  /** Seconds from power-on to the prompt of v86's guest. */
  v86BootSeconds = Number.NaN;

  constructor(options: LabOptions) {
    this.options = options;
    this.#work = mkdtempSync(join(tmpdir(), 'qcontext-bench-'));
    process.on('exit', () => rmSync(this.#work, { recursive: true, force: true }));
  }

  path(name: string): string {
    return join(this.#work, name);
  }

  guestFile = (name: string): string => join(this.options.root, 'build/guest', name);

  /** The Linux guest with the default kernel or another, as build/guest/manifest.json describes it. */
  linuxGuest(name?: string): LinuxGuest {
    const file = this.guestFile('manifest.json');
    if (!existsSync(file)) throw new Unavailable('no Linux guest: npm run guest');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
      available: boolean;
      reason?: string;
      default: { kernel: string; disk: string };
      kernels: Record<string, { title: string; image: string; initrd?: string; append: string }>;
      disks: Record<string, { file: string }>;
    };
    const kernel = manifest.kernels[name ?? manifest.default.kernel];
    const disk = manifest.disks[manifest.default.disk];
    if (!manifest.available || kernel === undefined || disk === undefined)
      throw new Unavailable(`no ${name ?? ''} Linux guest here: ${manifest.reason ?? 'not built'}`);
    return {
      title: kernel.title,
      kernel: kernel.image,
      initrd: kernel.initrd,
      // Nobody need answer the terminal's questions: neither side does.
      append: `${kernel.append} TERM=dumb`,
      disk: disk.file,
    };
  }

  /** Another browser after a first visit to the page: an empty profile, the default machine. The caller closes it. */
  async visitor(): Promise<{ readonly browser: Browser; readonly seconds: number }> {
    this.#server ??= servePage(this.options.root, this.options.dist);
    const browser = await Browser.open(this.#work, (await this.#server).url);
    return { browser, seconds: await visit(browser) };
  }

  /** The browser that the parts share, after its first visit: all images are in its OPFS. */
  browser(): Promise<Browser> {
    this.#browser ??= this.visitor().then(({ browser, seconds }) => {
      this.firstVisitSeconds = seconds;
      return browser;
    });
    return this.#browser;
  }

  async machine(): Promise<PageMachine> {
    return new PageMachine(await this.browser());
  }

  /** Puts a host file into OPFS once. */
  async upload(name: string, file: string): Promise<void> {
    if (this.#uploaded.has(name)) return;
    await (await this.browser()).upload(name, file);
    this.#uploaded.add(name);
  }

  /** Arguments that boot Linux in the page; `disks` come after the root disk. */
  ourLinux(rootDisk: string, disks: readonly string[] = [], kernel?: string): readonly string[] {
    const guest = this.linuxGuest(kernel);
    const initrd = guest.initrd === undefined ? [] : ['-initrd', guest.initrd];
    return [
      ['-m', '256', '-kernel', guest.kernel, '-append', guest.append],
      initrd,
      CONTEXTS,
      ourDisk('disk0', rootDisk, 'scsi=off,x-data-plane=on,context=ctx0'),
      disks,
      this.options.machineArgs,
    ].flat();
  }

  /** Arguments that boot the same on QEMU. */
  qemuLinux(rootDisk: string, disks: readonly string[] = [], kernel?: string): readonly string[] {
    const guest = this.linuxGuest(kernel);
    const initrd = guest.initrd === undefined ? [] : ['-initrd', this.guestFile(guest.initrd)];
    const boot = ['-m', '256', '-kernel', this.guestFile(guest.kernel), '-append', guest.append];
    return [boot, initrd, qemuDrive('drive0', rootDisk), disks].flat();
  }

  /** A copy of the pristine root disk on the host. */
  hostRootDisk(name: string): string {
    const copy = this.path(name);
    cpSync(this.guestFile(this.linuxGuest().disk), copy, { mode: fs.COPYFILE_FICLONE });
    return copy;
  }

  /** A copy of the pristine root disk in OPFS. */
  async opfsRootDisk(name: string): Promise<void> {
    const { page } = await this.browser();
    await page.evaluate(
      async ([target, source]) => {
        const directory = await navigator.storage.getDirectory();
        const from = await fetch(`guest/${source}`);
        if (!from.ok || from.body === null) throw new Error(`no ${source} on the server`);
        const to = await directory.getFileHandle(target, { create: true });
        await from.body.pipeTo(await to.createWritable());
      },
      [name, this.linuxGuest().disk] as const,
    );
  }

  /** QEMU, or a reason why not. */
  requireQemu(): string {
    const version = qemuVersion();
    if (version === undefined) throw new Unavailable('qemu-system-riscv64 is not installed');
    return version;
  }

  /** Our Linux in the page, with the disks of the benchmarks; booted when first asked for. */
  async linux(harts: 1 | 2 = 1): Promise<PageMachine> {
    const machine = await this.machine();
    if (this.#on === `linux ${harts}`) return machine;
    const tools = await this.#tools();
    if (tools !== undefined) await this.upload('tools.ext4', tools);
    await machine.stop();
    this.#on = undefined;
    await this.opfsRootDisk('bench-root.ext4');
    await this.fillOpfs('data.img');
    const disks = [
      tools === undefined ? [] : ourDisk('tools', 'tools.ext4', `serial=${TOOLS},context=ctx1`),
      ourDisk('data', 'data.img', `serial=${DATA},context=ctx1`),
    ].flat();
    await machine.start([...this.ourLinux('bench-root.ext4', disks), '-smp', String(harts)], PROMPT);
    this.#on = `linux ${harts}`;
    await this.#prepareShell(machine);
    return machine;
  }

  /** The same on QEMU. */
  qemu(): Promise<QemuMachine> {
    this.#qemuLinux ??= (async () => {
      const version = this.requireQemu();
      const tools = await this.#tools();
      const copy = this.path('tools.ext4');
      if (tools !== undefined) cpSync(tools, copy);
      const disks = [
        tools === undefined ? [] : qemuDrive('tools', copy, `,serial=${TOOLS}`),
        qemuDrive('data', this.hostData(), `,serial=${DATA}`),
      ].flat();
      const machine = new QemuMachine(version, this.qemuLinux(this.hostRootDisk('qemu-root.ext4'), disks));
      await machine.expect(PROMPT, 120_000);
      await this.#prepareShell(machine);
      return machine;
    })();
    return this.#qemuLinux;
  }

  /** The image with qbench; undefined where it can't be built. */
  #tools(): Promise<string | undefined> {
    return this.tools().catch(() => undefined);
  }

  /**
   * The image with the C kernels for the guest.
   *
   * @throws {Unavailable} without the cross compiler
   */
  tools(): Promise<string> {
    return buildToolsImage(this.options.root).catch((error: unknown) => {
      const [reason] = String(error).split('\n');
      throw new Unavailable(
        `the C kernels can't be built for the guest (${QBENCH_PACKAGES.join(' ')}): ${reason}`,
      );
    });
  }

  /** Puts qbench into the guest's memory and names the data disk `/dev/data`. */
  async #prepareShell(guest: PageMachine | QemuMachine): Promise<void> {
    const find = (serial: string, then: string): string =>
      `for d in /sys/block/vd*; do [ "$(cat $d/serial)" = ${serial} ] && ${then}; done; true`;
    await shell(guest, 'stty -echo; dmesg -n 1; mkdir -p /tmp/tools');
    await shell(
      guest,
      find(TOOLS, 'mount -o ro /dev/${d##*/} /tmp/tools && cp /tmp/tools/qbench /tmp/qbench'),
    );
    await shell(guest, find(DATA, 'ln -s ${d##*/} /dev/data'));
    await shell(guest, 'test -b /dev/data');
  }

  /** v86 in a browser of its own, with a guest of its own: it knows neither riscv64 nor our disk. */
  v86(): Promise<V86Machine> {
    this.#v86 ??= (async () => {
      const files = await buildV86Guest(this.options.root);
      this.#server ??= servePage(this.options.root, this.options.dist);
      const { machine, seconds } = await V86Machine.boot(this.#work, (await this.#server).url, files);
      this.v86BootSeconds = seconds;
      return machine;
    })();
    return this.#v86;
  }

  /** The built-in guest in the page, on a disk in the same OPFS file as Linux has it. */
  async bare(): Promise<PageMachine> {
    const machine = await this.machine();
    if (this.#on === 'bare') return machine;
    await this.upload('baremetal.bin', this.#bareKernel());
    await machine.stop();
    this.#on = undefined;
    await this.fillOpfs('data.img');
    await this.fillOpfs('scratch.img', true);
    const words = [
      ['-m', '64', '-kernel', 'baremetal.bin'],
      CONTEXTS,
      ourDisk('disk0', 'data.img', 'scsi=off,x-data-plane=on,context=ctx0'),
      ourDisk('disk1', 'scratch.img', 'context=ctx0'),
      this.options.machineArgs,
    ].flat();
    await machine.start(words, BARE_PROMPT);
    this.#on = 'bare';
    return machine;
  }

  /** The built-in guest, assembled, as a file. */
  #bareKernel(): string {
    const file = this.path('baremetal.bin');
    if (!existsSync(file)) writeFileSync(file, assembleBareMetal());
    return file;
  }

  /** The same on QEMU. */
  qemuBare(): Promise<QemuMachine> {
    this.#qemuBare ??= (async () => {
      const args = ['-m', '64', '-bios', 'none', '-kernel', this.#bareKernel()];
      const machine = new QemuMachine(this.requireQemu(), [...args, ...qemuDrive('drive0', this.hostData())]);
      await machine.expect(BARE_PROMPT);
      return machine;
    })();
    return this.#qemuBare;
  }

  /** The data disk on the host, filled: no holes. Each caller's QEMU opens it alone. */
  hostData(): string {
    const file = this.path(`data-${++this.#hostDisks}.img`);
    fillPattern(file, DATA_BYTES);
    return file;
  }
  #hostDisks = 0;

  /** A disk in OPFS: filled, or `empty` with nothing but zeros. */
  async fillOpfs(name: string, empty = false): Promise<void> {
    if (this.#uploaded.has(name)) return;
    const { page } = await this.browser();
    await page.evaluate(
      async ([target, bytes, zeros]) => {
        const directory = await navigator.storage.getDirectory();
        const handle = await directory.getFileHandle(target, { create: true });
        const writable = await handle.createWritable();
        await writable.truncate(bytes);
        const block = new Uint32Array(1 << 18);
        const filled = zeros ? 0 : bytes;
        for (let at = 0; at < filled; at += block.byteLength) {
          for (let i = 0; i < block.length; i++) block[i] = Math.imul(at + i, 0x9e3779b1);
          await writable.write(block);
        }
        await writable.close();
      },
      [name, DATA_BYTES, empty] as const,
    );
    this.#uploaded.add(name);
  }

  /** The machine in the page is no longer the one the parts share. */
  forgetMachine(): void {
    this.#on = undefined;
  }

  /** Ends the peers: they would only take their share of the cores. */
  async stopPeers(): Promise<void> {
    const machines = [this.#qemuLinux, this.#qemuBare, this.#v86];
    this.#qemuLinux = this.#qemuBare = this.#v86 = undefined;
    for (const machine of machines) {
      const found = await Promise.race([machine?.catch(() => undefined), delay(5000)]);
      await Promise.race([found?.stop(), delay(10_000)]);
    }
  }

  /** After a part that failed or took too long: whatever is still going on ends. */
  async reset(): Promise<void> {
    await this.stopPeers();
    const browser = this.#browser;
    this.#browser = this.#on = undefined;
    this.#uploaded.clear();
    const opened = await Promise.race([browser?.catch(() => undefined), delay(5000)]);
    await Promise.race([opened?.close(), delay(10_000)]);
  }

  async close(): Promise<void> {
    await this.reset();
    await (await this.#server?.catch(() => undefined))?.close();
  }
}

const CONTEXTS = [
  '-object',
  'glib-qcontext,id=ctx0,threaded=yes',
  '-object',
  'glib-qcontext,id=ctx1,threaded=yes',
];

/** A drive in OPFS and its virtio-blk device. */
const ourDisk = (id: string, file: string, more: string): readonly string[] => [
  '-drive',
  `if=none,id=drive-${id},file=${file},format=raw`,
  '-device',
  `virtio-blk,id=${id},drive=drive-${id},${more}`,
];

const TOOLS = 'QBENCHTOOLS';
const DATA = 'QBENCHDATA';
export const BARE_PROMPT = /(^|\n)> $/;
export const delay = (ms: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
