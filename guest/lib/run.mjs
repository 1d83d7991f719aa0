// @ts-check
/** Child processes: every command line is an argument vector, no shell in between. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Directories of administration tools, which an ordinary user's PATH may lack. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const PATH = [...new Set([...(process.env.PATH ?? '').split(':'), ...SBIN])].join(':');

/**
 * @param {string} command
 * @returns {boolean} whether the command is on the PATH (the sbin directories count)
 */
export function have(command) {
  return PATH.split(':').some((dir) => {
    try {
      accessSync(path.join(dir, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Commands under way. They end with us: make ends its compilers when it is told to end.
 *
 * @type {Set<import('node:child_process').ChildProcess>}
 */
const underWay = new Set();
process.once('exit', () => {
  for (const child of underWay) child.kill();
});

/** A command that ended with another status than 0. `output` is what it wrote, standard error included. */
export class CommandError extends Error {
  /** @param {string} command @param {number | null} status @param {string} output */
  constructor(command, status, output) {
    const tail = output.trim().split('\n').slice(-8).join('\n');
    super(`${command}: ${status === null ? 'killed' : `exit status ${status}`}${tail ? `\n${tail}` : ''}`);
    this.name = 'CommandError';
    this.status = status;
    this.output = output;
  }
}

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, input?: string | Uint8Array, nice?: boolean }} [options]
 *   `nice` runs it at the lowest priority.
 * @returns {Promise<string>} its standard output
 * @throws {CommandError}
 */
export async function run(command, args, options = {}) {
  return (await runRaw(command, args, options)).toString('utf8');
}

/**
 * As {@link run}, for standard output that is not text.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, input?: string | Uint8Array, nice?: boolean }} [options]
 * @returns {Promise<Buffer>}
 * @throws {CommandError}
 */
export function runRaw(command, args, options = {}) {
  const [file, argv] = options.nice ? ['nice', ['-n', '19', command, ...args]] : [command, [...args]];
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', PATH, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    underWay.add(child);
    /** @type {Buffer[]} */
    const out = [];
    /** @type {Buffer[]} */
    const err = [];
    child.stdout?.on('data', (b) => out.push(b));
    child.stderr?.on('data', (b) => err.push(b));
    // A command that ends without reading its input closes the pipe; its status tells what happened.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
    child.on('error', (error) => {
      underWay.delete(child);
      reject(error);
    });
    child.on('close', (status) => {
      underWay.delete(child);
      const stdout = Buffer.concat(out);
      if (status === 0) resolve(stdout);
      else {
        const text = `${stdout.subarray(-4096).toString('utf8')}\n${Buffer.concat(err).toString('utf8')}`;
        reject(new CommandError(command, status, text));
      }
    });
  });
}
