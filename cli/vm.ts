import {
  copyFileSync,
  constants as fs,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVm, formatUserError, parseCommandLine, type Vm } from '../src/engine/index.ts';
import { defaultArguments } from './default-guest.ts';
import { createNodeSupervisor } from './host/node-supervisor.ts';
import { monitorOnStdio, serveMonitors, waitsForMonitor } from './monitors.ts';
import { attachTerminal } from './terminal.ts';

/** The bundle lives in build/node/, its neighbours are the interpreter and the guest images. */
const build = new URL('../', import.meta.url);
const interpreter = new URL('wasm/interp.wasm', build);
const guestDir = fileURLToPath(new URL('guest/', build));

/** A mistake of the user's. */
class Refusal extends Error {}

/** Ends with a sentence on stderr, once what was begun is cleared away. */
function fail(message: string): never {
  throw new Refusal(message);
}

/** Exit code of a machine that has ended. */
function exitCodeOf(end: Awaited<Vm['ended']>): number {
  switch (end.reason) {
    case 'guest-shutdown':
      return end.exitCode;
    case 'host-quit':
      return 0;
    case 'guest-panic':
    case 'failed':
      process.stderr.write(`vm: ${end.detail}\n`);
      return 1;
  }
}

/** Runs one machine to its end; resolves with the exit code. */
async function runMachine(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(argv);
  if (!parsed.ok || parsed.value.kind !== 'run') fail('the arguments describe no machine');
  const { config } = parsed.value;
  const waits = waitsForMonitor(config);
  const made = await createVm(waits ? [...argv, '-S'] : argv, createNodeSupervisor(interpreter));
  if (!made.ok) fail(formatUserError(made.error));
  const vm = made.value;
  const quit = (): void => void vm.qmp('quit');
  process.on('SIGTERM', quit);
  process.on('SIGINT', quit);
  const restore = monitorOnStdio(config) ? () => {} : attachTerminal(vm);
  const monitors = await serveMonitors(config, vm);
  if (!monitors.ok) {
    restore();
    await vm.dispose();
    fail(formatUserError(monitors.error));
  }
  if (waits && !config.paused) {
    for (const { address } of monitors.value)
      process.stderr.write(`vm: waiting for a connection to ${address}\n`);
    void Promise.all(monitors.value.map(({ connected }) => connected)).then(() => vm.qmp('cont'));
  }
  const end = await vm.ended;
  await Promise.all(monitors.value.map((monitor) => monitor.close()));
  restore();
  await vm.dispose();
  process.off('SIGTERM', quit);
  process.off('SIGINT', quit);
  return exitCodeOf(end);
}

/** A word of our own among QEMU's: the default guest's disk is kept from one run to the next. */
const KEEP_DISK = 'snapshot=off';

/** The default disk's file for this run. */
function defaultDisk(image: string, scratch: string, keep: boolean): string {
  const kept = fileURLToPath(new URL('vm/rootfs.ext4', build));
  if (keep && existsSync(kept)) return kept;
  const copy = keep ? kept : join(scratch, 'disk');
  mkdirSync(dirname(copy), { recursive: true });
  // Under another name until it is whole: a copy cut short must not be taken for the disk next time.
  const draft = `${copy}.${process.pid}`;
  copyFileSync(image, draft, fs.COPYFILE_FICLONE);
  renameSync(draft, copy);
  return copy;
}

async function main(words: readonly string[]): Promise<number> {
  const keep = words.includes(KEEP_DISK);
  const given = words.filter((word) => word !== KEEP_DISK);
  const asked = parseCommandLine(given);
  if (!asked.ok) fail(formatUserError(asked.error));
  if (asked.value.kind === 'help') {
    process.stdout.write(asked.value.text);
    return 0;
  }
  if (asked.value.kind === 'version') {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', build), 'utf8')) as {
      version: string;
    };
    process.stdout.write(`QContext Playground ${version}\n`);
    return 0;
  }
  for (const note of asked.value.notes) process.stderr.write(`vm: ${note.text}\n`);

  const scratch = mkdtempSync(join(tmpdir(), 'qcontext-vm-'));
  try {
    const argv = defaultArguments(given, asked.value.config, guestDir, (image) =>
      defaultDisk(image, scratch, keep),
    );
    if (!argv.ok) fail(formatUserError(argv.error));
    return await runMachine(argv.value);
  } finally {
    if (existsSync(scratch)) rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`vm: ${error.message}\n`);
  process.exitCode = 1;
}
