import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeSupervisor } from '../../cli/host/node-supervisor.ts';
import { assembleBareMetal } from '../../guest/baremetal/index.ts';
import { createVm, formatUserError, type Vm } from '../../src/engine/index.ts';

const build = new URL('../../build/', import.meta.url);
export const guestDir = fileURLToPath(new URL('guest/', build));

/** A machine under test: its façade, and its serial port as a conversation. */
export interface TestMachine {
  readonly vm: Vm;
  /** All output so far. */
  readonly output: () => string;
  send(text: string): void;
  /** Resolves with the output up to and with the match in what arrived since the last `expect`. */
  expect(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** One QMP command that must succeed. */
  qmp(execute: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves when `condition` holds; looked at every 20 ms. */
  until(condition: () => boolean, timeoutMs?: number): Promise<void>;
  /** virtio-mmio slot of the first device. */
  slot(): number;
  stop(): Promise<void>;
}

/** Rejects if `promise` takes longer: a test that hangs says where. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes a machine from a command line; fails the test with its error if it is refused. */
export async function startMachine(argv: readonly string[]): Promise<TestMachine> {
  const host = createNodeSupervisor(
    new URL('wasm/interp.wasm', build),
    new URL('node/machine.worker.js', build),
  );
  const made = await createVm(argv, host);
  if (!made.ok) throw new Error(formatUserError(made.error));
  const vm = made.value;
  let output = '';
  let from = 0;
  const waiting = new Set<() => void>();
  const decoder = new TextDecoder();
  vm.serial.onData((bytes) => {
    output += decoder.decode(bytes, { stream: true });
    for (const look of waiting) look();
  });
  return {
    vm,
    output: () => output,
    send: (text) => vm.serial.write(text),
    expect: (pattern, timeoutMs = 60_000) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output.slice(from));
          if (match === null) return;
          clearTimeout(timer);
          waiting.delete(look);
          const found = output.slice(from, from + match.index + match[0].length);
          from += found.length;
          resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`no ${String(pattern)} within ${timeoutMs} ms; the output ends: ${output.slice(-800)}`),
          );
        }, timeoutMs);
        waiting.add(look);
        look();
      }),
    qmp: async (execute, args) => {
      const reply = await vm.qmp(execute, args);
      if (!reply.ok) throw new Error(`${execute}: ${reply.error.desc}`);
      return reply.value;
    },
    until: async (condition, timeoutMs = 20_000) => {
      const end = Date.now() + timeoutMs;
      while (!condition()) {
        if (Date.now() > end) throw new Error(`not so after ${timeoutMs} ms: ${String(condition)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    slot: () => vm.board().devices[0]?.slot ?? -1,
    stop: () => vm.dispose(),
  };
}

/** A folder that is gone when `use` has ended. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'qcontext-test-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts the built-in guest and an empty disk into a folder. */
export function bareMetalFiles(
  folder: string,
  diskBytes = 64 * 1024 * 1024,
): { kernel: string; disk: string } {
  const kernel = join(folder, 'baremetal.bin');
  const disk = join(folder, 'disk.img');
  writeFileSync(kernel, assembleBareMetal());
  writeFileSync(disk, '');
  truncateSync(disk, diskBytes);
  return { kernel, disk };
}
