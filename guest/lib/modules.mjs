// @ts-check
/** Kernel modules: which ones a module needs, and the order to load them in. */

/**
 * Reads the dependencies a module declares in its `.modinfo` section (`depends=a,b`).
 *
 * @param {Uint8Array} ko an uncompressed module
 * @returns {string[]}
 */
export function moduleDepends(ko) {
  const text = Buffer.from(ko.buffer, ko.byteOffset, ko.byteLength);
  // The key starts the section or follows the NUL that ends the entry before it.
  for (let at = text.indexOf('depends='); at !== -1; at = text.indexOf('depends=', at + 1)) {
    if (at > 0 && text[at - 1] !== 0) continue;
    const end = text.indexOf(0, at);
    const value = text.subarray(at + 'depends='.length, end === -1 ? undefined : end).toString('latin1');
    if (/^[A-Za-z0-9_,-]*$/.test(value)) return value.split(',').filter((name) => name !== '');
  }
  return [];
}

/** The kernel treats `-` and `_` in module names alike. @param {string} name */
export const canonical = (name) => name.replaceAll('-', '_');

/**
 * Orders modules so that each comes after those it needs.
 *
 * @param {readonly string[]} wanted
 * @param {(name: string) => readonly string[]} dependsOf
 * @returns {string[]} canonical names without repetition
 * @throws {Error} when modules depend on each other in a circle
 */
export function loadOrder(wanted, dependsOf) {
  /** @type {Map<string, 'open' | 'done'>} */
  const state = new Map();
  /** @type {string[]} */
  const order = [];
  /** @param {string} name */
  const visit = (name) => {
    const key = canonical(name);
    if (state.get(key) === 'done') return;
    if (state.get(key) === 'open') throw new Error(`modules: ${key} depends on itself`);
    state.set(key, 'open');
    for (const dependency of dependsOf(key)) visit(dependency);
    state.set(key, 'done');
    order.push(key);
  };
  for (const name of wanted) visit(name);
  return order;
}

/** Ends a signed module (Linux, Documentation/admin-guide/module-signing.rst). */
const SIGNATURE_MAGIC = '~Module signature appended~\n';
/** `struct module_signature`: 8 bytes of kinds and lengths, then the signature's length, big-endian. */
const SIGNATURE_INFO_BYTES = 12;

/**
 * @param {Buffer} ko
 * @returns {Buffer} the module without an appended signature
 */
export function withoutSignature(ko) {
  const info = ko.length - SIGNATURE_MAGIC.length - SIGNATURE_INFO_BYTES;
  if (info < 0 || ko.toString('latin1', ko.length - SIGNATURE_MAGIC.length) !== SIGNATURE_MAGIC) return ko;
  const end = info - ko.readUInt32BE(info + 8);
  return end > 0 ? ko.subarray(0, end) : ko;
}
