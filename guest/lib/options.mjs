// @ts-check
/** Command line of `npm run guest`. */

/** A wrong option; the message names it and what is allowed. */
export class UsageError extends Error {
  /** @param {string} text */
  constructor(text) {
    super(text);
    this.name = 'UsageError';
  }
}

export const USAGE = `usage: npm run guest -- [OPTION]...
Assembles the guest images in build/guest from Debian packages.

  --kernel=stock     Debian's kernel and an initramfs (default)
  --kernel=tuned     also compile a kernel for this machine alone (about 8 minutes)
  --image=small      root disk with a shell, coreutils, e2fsprogs, fio (default)
  --image=minbase    also make a disk with a minimal Debian and apt
  --update           look for newer packages
  --help             this text`;

/**
 * @typedef {object} Options
 * @property {boolean} tuned
 * @property {boolean} minbase
 * @property {boolean} update
 * @property {boolean} help
 */

/**
 * @param {readonly string[]} argv
 * @returns {Options}
 * @throws {UsageError}
 */
export function parseOptions(argv) {
  const options = { tuned: false, minbase: false, update: false, help: false };
  for (const word of argv) {
    switch (word) {
      case '--kernel=stock':
      case '--image=small':
        break;
      case '--kernel=tuned':
        options.tuned = true;
        break;
      case '--image=minbase':
        options.minbase = true;
        break;
      case '--update':
        options.update = true;
        break;
      case '--help':
      case '-h':
        options.help = true;
        break;
      default:
        throw new UsageError(`unknown option '${word}'`);
    }
  }
  return options;
}
