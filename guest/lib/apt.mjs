// @ts-check
/**
 * Debian packages of another architecture and release, by name, without touching the machine's own package state:
 * a private apt configuration with its own source list, index and cache. The address of the archive is the one
 * this machine's apt already uses; signatures are checked by apt with the Debian keyring, and each downloaded
 * file once more here against the hash in the signed index.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run.mjs';

/** The archive keyring of the package `debian-archive-keyring`. */
export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The guest cannot be assembled on this machine; the message says what is missing. Not an error of the build. */
export class Unavailable extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.name = 'Unavailable';
  }
}

/**
 * @typedef {object} Package one version of a package, as the signed index describes it
 * @property {string} name
 * @property {string} version
 * @property {string} architecture
 * @property {string} sha256 of the .deb
 * @property {number} bytes size of the .deb
 * @property {string} depends the Depends field, possibly empty
 *
 * @typedef {object} SourcePackage
 * @property {string} name
 * @property {string} version
 * @property {string} dsc name of the .dsc file
 * @property {string} sha256 of the .dsc file
 */

/**
 * Chooses the archive that holds a whole release, not its security or point updates.
 *
 * @param {string} targets lines `RELEASE URI` from `apt-get indextargets`
 * @returns {string | undefined} the URI
 */
export function chooseArchive(targets) {
  const rows = targets
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter((row) => row.length === 2)
    .map(([release = '', uri = '']) => ({ release, uri }));
  const whole = rows.filter((r) => !/security/.test(`${r.release} ${r.uri}`));
  return (whole.find((r) => !/-(updates|backports|proposed)/.test(r.release)) ?? whole[0])?.uri;
}

/**
 * @param {string} text stanzas of `Field: value` lines, blank line between two (deb822)
 * @returns {Map<string, string>[]}
 */
export function parseStanzas(text) {
  return text
    .split(/\n\s*\n/)
    .map((stanza) => {
      /** @type {Map<string, string>} */
      const fields = new Map();
      for (const line of stanza.split('\n')) {
        const match = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
        if (match?.[1] !== undefined) fields.set(match[1], match[2] ?? '');
      }
      return fields;
    })
    .filter((fields) => fields.size > 0);
}

/**
 * @param {Package} p
 * @returns {string} the file name apt gives a downloaded package
 */
export const debName = (p) => `${p.name}_${p.version.replaceAll(':', '%3a')}_${p.architecture}.deb`;

/**
 * @param {string} file
 * @returns {Promise<string>} SHA-256 in hexadecimal
 */
export async function sha256File(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** A private apt. All paths are below one directory. */
export class Apt {
  /** @param {string} dir @param {string} arch */
  constructor(dir, arch) {
    this.dir = dir;
    this.arch = arch;
    /** Where downloaded packages lie. */
    this.debs = path.join(dir, 'debs');
    this.config = path.join(dir, 'apt.conf');
  }

  /**
   * Writes the configuration.
   *
   * @param {readonly { kind: 'deb' | 'deb-src', suite: string }[]} sources
   * @throws {Unavailable} without apt, keyring or archive
   */
  async configure(sources) {
    const lists = path.join(this.dir, 'lists');
    const cache = path.join(this.dir, 'cache');
    for (const d of [`${lists}/partial`, `${cache}/archives/partial`, this.debs])
      await mkdir(d, { recursive: true });
    try {
      await access(KEYRING);
    } catch {
      throw new Unavailable(`no Debian archive keyring (${KEYRING}): install debian-archive-keyring`);
    }
    const uri = chooseArchive(await run('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)']));
    if (uri === undefined) throw new Unavailable('apt has no archive configured on this machine');
    const lines = sources.map(({ kind, suite }) => {
      const arch = kind === 'deb' ? `arch=${this.arch} ` : '';
      return `${kind} [${arch}signed-by=${KEYRING}] ${uri} ${suite} main\n`;
    });
    await writeFile(path.join(this.dir, 'sources.list'), lines.join(''));
    // "#clear": what this machine does after its own updates has nothing to do with a foreign architecture.
    await writeFile(
      this.config,
      `#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
APT::Architecture "${this.arch}";
APT::Architectures { "${this.arch}"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::Etc::sourcelist "${this.dir}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State::Lists "${lists}";
Dir::State::status "/dev/null";
Dir::Cache "${cache}";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
`,
    );
  }

  /** @param {string} command @param {readonly string[]} args @param {{ cwd?: string }} [options] */
  #apt(command, args, options = {}) {
    return run(command, ['-c', this.config, ...args], options);
  }

  /**
   * Fetches the signed index. Without a network the index of an earlier run serves, if there is one.
   *
   * @param {(line: string) => void} say
   * @throws {Unavailable} when the archive does not answer or a signature does not verify, and there is no index
   */
  async update(say) {
    try {
      await this.#apt('apt-get', ['-q', '-o', 'APT::Update::Error-Mode=any', 'update']);
    } catch (error) {
      const [first = ''] = /^E: .*$/m.exec(error instanceof Error ? error.message : '') ?? [];
      say(`the package archive does not answer. ${first}`);
      const known = await this.#apt('apt-cache', ['pkgnames']).catch(() => '');
      if (known.trim() === '')
        throw new Unavailable('the package archive does not answer (is there a network?)');
      say('using the package index of an earlier run');
    }
  }

  /**
   * Newest version of each package.
   *
   * @param {readonly string[]} names
   * @returns {Promise<Package[]>} in the order asked
   */
  async select(names) {
    const text = await this.#apt('apt-cache', ['show', '--no-all-versions', ...names]);
    const found = new Map(
      parseStanzas(text).map((fields) => {
        const get = (/** @type {string} */ k) => fields.get(k) ?? '';
        return [
          get('Package'),
          {
            name: get('Package'),
            version: get('Version'),
            architecture: get('Architecture'),
            sha256: get('SHA256'),
            bytes: Number(get('Size')),
            depends: get('Depends'),
          },
        ];
      }),
    );
    return names.map((name) => {
      const p = found.get(name);
      if (p === undefined || p.sha256 === '') throw new Error(`package ${name} is not in the archive`);
      return p;
    });
  }

  /**
   * Downloads what is not there yet and checks every file against the index.
   *
   * @param {readonly Package[]} packages
   * @returns {Promise<string[]>} paths of the .deb files, in the order given
   */
  async download(packages) {
    const missing = [];
    for (const p of packages) {
      if (!(await this.#intact(p))) missing.push(p);
    }
    if (missing.length > 0) {
      const wanted = missing.map((p) => `${p.name}=${p.version}`);
      await this.#apt('apt-get', ['-q', 'download', ...wanted], { cwd: this.debs });
    }
    for (const p of missing) {
      if (!(await this.#intact(p)))
        throw new Error(`${debName(p)} is missing or not the file the index describes`);
    }
    return packages.map((p) => path.join(this.debs, debName(p)));
  }

  /** @param {Package} p */
  async #intact(p) {
    try {
      return (await sha256File(path.join(this.debs, debName(p)))) === p.sha256;
    } catch {
      return false;
    }
  }

  /**
   * @param {string} name
   * @returns {Promise<SourcePackage>} its newest version
   */
  async sourceVersion(name) {
    const text = await this.#apt('apt-cache', ['showsrc', '--only-source', name]);
    const version = parseStanzas(text)[0]?.get('Version');
    const file = /^ ([0-9a-f]{64}) \d+ (\S+\.dsc)$/m.exec(text);
    if (version === undefined || file === null)
      throw new Error(`source package ${name} is not in the archive`);
    return { name, version, sha256: file[1] ?? '', dsc: file[2] ?? '' };
  }

  /**
   * Downloads a source package; apt checks the hashes of its files against the signed index.
   *
   * @param {SourcePackage} source
   * @param {string} dir an existing directory
   * @returns {Promise<string>} path of the .dsc
   */
  async downloadSource(source, dir) {
    await this.#apt('apt-get', ['-q', 'source', '--download-only', `${source.name}=${source.version}`], {
      cwd: dir,
    });
    const dsc = path.join(dir, source.dsc);
    if ((await sha256File(dsc)) !== source.sha256)
      throw new Error(`${source.dsc} is not the file the index describes`);
    return dsc;
  }
}
