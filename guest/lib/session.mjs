// @ts-check
/** What one run of the build shares: where things lie, the package index, and putting images where they belong. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Apt, Unavailable } from './apt.mjs';
import { BASIC, provide } from './host.mjs';
import { pack } from './pack.mjs';
import { ARCH, FIO_SUITE, SUITE } from '../packages.mjs';

export class Session {
  /** @type {Promise<Apt> | undefined} */
  #apt;

  /** @param {string} source guest/ @param {string} out build/guest @param {(line: string) => void} say */
  constructor(source, out, say) {
    this.source = source;
    this.out = out;
    this.cache = path.join(out, '.cache');
    this.work = path.join(out, '.work');
    this.say = say;
  }

  /**
   * The package index, fetched once per run.
   *
   * @returns {Promise<Apt>}
   * @throws {Unavailable}
   */
  apt() {
    this.#apt ??= this.#openApt();
    return this.#apt;
  }

  async #openApt() {
    const lacking = await provide(BASIC, this.say);
    if (lacking !== undefined) throw new Unavailable(lacking);
    const apt = new Apt(path.join(this.cache, 'apt'), ARCH);
    await apt.configure([
      { kind: 'deb', suite: SUITE },
      { kind: 'deb-src', suite: FIO_SUITE },
    ]);
    this.say('fetching the package index');
    await apt.update(this.say);
    return apt;
  }

  /**
   * @param {string} name
   * @returns {Promise<string>} an empty directory to work in
   */
  async scratch(name) {
    const dir = path.join(this.work, name);
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    return dir;
  }

  /**
   * Puts an image and its compressed form into the output directory.
   *
   * @param {string} name
   * @param {Buffer | string} content bytes, or the path of a file that is moved (it may be sparse)
   * @returns {Promise<import('./pack.mjs').FileInfo>}
   */
  async emit(name, content) {
    const data = typeof content === 'string' ? await readFile(content) : content;
    const { info, gzip } = await pack(name, data);
    await mkdir(this.work, { recursive: true });
    const file = typeof content === 'string' ? content : path.join(this.work, name);
    if (typeof content !== 'string') await writeFile(file, data);
    await writeFile(path.join(this.work, info.gzip.file), gzip);
    await rename(file, path.join(this.out, name));
    await rename(path.join(this.work, info.gzip.file), path.join(this.out, info.gzip.file));
    const mb = (/** @type {number} */ n) => (n / 1e6).toFixed(1).padStart(6);
    this.say(`${name.padEnd(13)} ${mb(info.bytes)} MB, ${mb(info.gzip.bytes)} MB to download`);
    return info;
  }

  /** Removes what is left of the work. The cache of packages stays. */
  async end() {
    await rm(this.work, { recursive: true, force: true });
  }
}
