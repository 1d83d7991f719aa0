const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/**
 * Parses a size as QemuOpts does: a decimal (a fraction only before a suffix) or 0x number and an optional
 * suffix; `unit` is what a bare number counts (`-m 256` is MiB). Undefined when it is not an exact size.
 */
export function parseSize(text: string, unit = 1): number | undefined {
  const match = /^(0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?)([bkmgtpBKMGTP]?)$/.exec(text);
  const digits = match?.[1];
  if (digits === undefined) return undefined;
  const suffix = (match?.[2] ?? '').toLowerCase();
  const hex = /^0[xX]/.test(digits);
  // In 0x1b the b is a digit; QEMU has no suffixes after hexadecimal either.
  if (hex && suffix !== '') return undefined;
  const value = Number(digits) * (suffix === '' ? unit : (UNITS[suffix] ?? 1));
  return Number.isSafeInteger(value) ? value : undefined;
}
