// @ts-check
/** Reads Linux configuration files: `CONFIG_X=value` and `# CONFIG_X is not set`. */

/**
 * @param {string} text
 * @returns {Map<string, string>} `n` for what is not set
 */
export function parseConfig(text) {
  /** @type {Map<string, string>} */
  const options = new Map();
  for (const line of text.split('\n')) {
    const set = /^(CONFIG_\w+)=(.*)$/.exec(line);
    const unset = /^# (CONFIG_\w+) is not set$/.exec(line);
    if (set?.[1] !== undefined) options.set(set[1], set[2] ?? '');
    else if (unset?.[1] !== undefined) options.set(unset[1], 'n');
  }
  return options;
}

/**
 * What a finished configuration does not grant of a wish. Options that depend on something absent vanish silently
 * from a configuration, so each has to be looked up.
 *
 * @param {string} wish
 * @param {string} result
 * @returns {string[]} lines `CONFIG_X=y, is n`
 */
export function unmet(wish, result) {
  const got = parseConfig(result);
  return [...parseConfig(wish)]
    .filter(([name, value]) => (got.get(name) ?? 'n') !== value)
    .map(([name, value]) => `${name}=${value}, is ${got.get(name) ?? 'n'}`);
}
