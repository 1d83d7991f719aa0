import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { type Guest, OutputScanner } from './conversation.ts';

export const QEMU = process.env['QEMU'] ?? 'qemu-system-riscv64';

/** `qemu-system-riscv64 7.2.22`, or undefined where it is not installed. */
export function qemuVersion(): string | undefined {
  const { stdout, status } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  const version = /version (\S+)/.exec(stdout ?? '')?.[1];
  return status === 0 && version !== undefined ? `qemu-system-riscv64 ${version}` : undefined;
}

/** Native QEMU with its serial port on our pipe. TCG; the disk cache of the host, as OPFS has it. */
export class QemuMachine implements Guest {
  readonly who: string;
  readonly #child: ChildProcess;
  readonly #scanner = new OutputScanner();

  constructor(who: string, args: readonly string[]) {
    this.who = who;
    const common = ['-machine', 'virt', '-display', 'none', '-serial', 'stdio', '-monitor', 'none'];
    const modern = ['-global', 'virtio-mmio.force-legacy=false'];
    this.#child = spawn(QEMU, [...common, ...modern, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#scanner.push(text));
    running.add(this);
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stdin } = this.#child;
      if (stdin === null) reject(new Error('QEMU has no input'));
      else stdin.write(text, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  expect(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    return this.#scanner.expect(pattern, timeoutMs).catch((error: unknown) => {
      throw new Error(`QEMU: ${String(error)}`);
    });
  }

  pids(): readonly number[] {
    return this.#child.pid === undefined ? [] : [this.#child.pid];
  }

  stop(): void {
    running.delete(this);
    this.#child.kill('SIGKILL');
  }
}

const running = new Set<QemuMachine>();
process.on('exit', () => {
  for (const machine of running) machine.stop();
});

/** A drive and its virtio-blk device. */
export const qemuDrive = (id: string, file: string, more = ''): readonly string[] => [
  '-drive',
  `file=${file},format=raw,if=none,id=${id}`,
  '-device',
  `virtio-blk-device,drive=${id}${more}`,
];
