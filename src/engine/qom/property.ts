import { err, ok, type Result } from '../base/result.ts';
import { parseSize } from './options/size.ts';

/**
 * One property of a QOM type, as plain description: what the command line, QMP, `help` and the editor's
 * completion all read. `T` is the value's type in a configuration; `undefined` in it means "may be unset".
 */
export interface PropertyDef<T = unknown> {
  /** The type's name as QEMU prints it: `bool`, `uint32`, `size`, `str`, `link<qcontext>`, an enum's name. */
  readonly type: string;
  readonly description: string;
  readonly default: T;
  /** May be set on a realized (completed) object: `qom-set` while the machine runs. */
  readonly live: boolean;
  /** Must be given at creation. */
  readonly required: boolean;
  /** All values, where they can be listed. */
  readonly choices?: readonly string[];
  /** What this property names: another object's id, resolved when all arguments are known. */
  readonly refersTo?: Reference;
  /**
   * Checks and converts a given value: a string from a command line, or a JSON value. The error is a
   * sentence with the parameter's name in it.
   */
  read(name: string, raw: unknown): Result<T, ValueError>;
  /** The inverse of `read` for a command line. Values that only JSON can express give a JSON value. */
  write(value: T): JsonValue;
}

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export type Reference = 'qcontext' | 'block' | 'netdev' | 'chardev' | 'rng' | 'throttle-group';

/** Why a value was refused. */
export interface ValueError {
  readonly desc: string;
  readonly hint?: string;
}

export type PropertyTable = { readonly [name: string]: PropertyDef };
/** The values of a table's properties, all present (defaults filled in). */
export type PropsOf<Table> = {
  readonly [K in keyof Table]: Table[K] extends PropertyDef<infer T> ? T : never;
};

interface Common<T> {
  readonly default: T;
  readonly live?: boolean;
  readonly required?: boolean;
}

const refuse = (desc: string, hint?: string) =>
  err<ValueError>(hint === undefined ? { desc } : { desc, hint });
const common = <T>(options: Common<T>): Required<Common<T>> => ({
  default: options.default,
  live: options.live ?? false,
  required: options.required ?? false,
});
const wrongType = (name: string, expected: string) =>
  refuse(`Invalid parameter type for '${name}', expected: ${expected}`);

const TRUE = new Set(['on', 'yes', 'true', 'y']);
const FALSE = new Set(['off', 'no', 'false', 'n']);

/** `on`/`off` and their synonyms. */
export const bool = (description: string, options: Common<boolean>): PropertyDef<boolean> => ({
  type: 'bool',
  description,
  ...common(options),
  choices: ['on', 'off'],
  read: (name, raw) => {
    if (typeof raw === 'boolean') return ok(raw);
    if (typeof raw !== 'string') return wrongType(name, 'boolean');
    if (TRUE.has(raw)) return ok(true);
    if (FALSE.has(raw)) return ok(false);
    return refuse(`Parameter '${name}' expects 'on' or 'off'`);
  },
  write: (value) => (value ? 'on' : 'off'),
});

/** A boolean with one value we can honour: accepted so that known command lines run, else refused with a reason. */
export const onlyBool = (description: string, value: boolean, why: string): PropertyDef<boolean> => {
  const base = bool(description, { default: value });
  return {
    ...base,
    read: (name, raw) => {
      const got = base.read(name, raw);
      if (got.ok && got.value !== value)
        return refuse(`Parameter '${name}' can only be '${value ? 'on' : 'off'}' here: ${why}`);
      return got;
    },
  };
};

interface UintOptions<T> extends Common<T> {
  readonly type: 'uint8' | 'uint16' | 'uint32' | 'int' | 'uint64';
  readonly min?: number;
  readonly max: number;
  readonly powerOf2?: boolean;
}

/** A whole number in `[min, max]`; decimal or 0x hexadecimal. */
export const uint = <D extends number | undefined>(
  description: string,
  options: UintOptions<D>,
): PropertyDef<number | D> => ({
  type: options.type,
  description,
  ...common(options),
  read: (name, raw) => {
    let value: number;
    if (typeof raw === 'number') {
      if (!Number.isInteger(raw)) return wrongType(name, 'integer');
      value = raw;
    } else if (typeof raw === 'string') {
      if (!/^[+-]?(\d+|0[xX][0-9a-fA-F]+)$/.test(raw))
        return refuse(`Parameter '${name}' expects an integer, not '${raw}'`);
      value = raw.startsWith('-') ? -Number(raw.slice(1)) : Number(raw.replace('+', ''));
    } else {
      return wrongType(name, 'integer');
    }
    const min = options.min ?? 0;
    if (value < min || value > options.max)
      return refuse(
        `Parameter '${name}' expects a value in the range [${min}, ${options.max}], not ${value}`,
      );
    if (options.powerOf2 === true && (value & (value - 1)) !== 0)
      return refuse(
        `Parameter '${name}' expects a power of 2 in the range [${min}, ${options.max}], not ${value}`,
      );
    return ok(value);
  },
  write: (value) => String(value),
});

/** Bytes, with the suffixes k, M, G, T. */
export const size = <D extends number | undefined>(
  description: string,
  options: Common<D> & {
    readonly min?: number;
    readonly max?: number;
    readonly powerOf2?: boolean;
    readonly unit?: number;
  },
): PropertyDef<number | D> => ({
  type: 'size',
  description,
  ...common(options),
  read: (name, raw) => {
    if (typeof raw !== 'string' && typeof raw !== 'number') return wrongType(name, 'size');
    const value =
      typeof raw === 'string'
        ? parseSize(raw, options.unit ?? 1)
        : Number.isInteger(raw) && raw >= 0
          ? raw
          : undefined;
    if (value === undefined)
      return refuse(
        `Parameter '${name}' expects a size, not '${raw}'`,
        'A non-negative number; the optional suffix k, M, G or T means kilo-, mega-, giga- or terabytes.',
      );
    const min = options.min ?? 0;
    const max = options.max ?? Number.MAX_SAFE_INTEGER;
    if (value < min || value > max)
      return refuse(
        `Parameter '${name}' expects a size in the range [${formatSize(min)}, ${formatSize(max)}], not ${raw}`,
      );
    if (options.powerOf2 === true && (value & (value - 1)) !== 0)
      return refuse(`Parameter '${name}' expects a power of 2, not ${value}`);
    return ok(value);
  },
  write: (value) => formatSize(value ?? 0),
});

/** The shortest exact spelling: 268435456 → `256M`. */
export function formatSize(bytes: number): string {
  for (const [suffix, unit] of [
    ['T', 2 ** 40],
    ['G', 2 ** 30],
    ['M', 2 ** 20],
    ['k', 2 ** 10],
  ] as const)
    if (bytes > 0 && bytes % unit === 0) return `${bytes / unit}${suffix}`;
  return String(bytes);
}

/** Text. `maxBytes` counts UTF-8 bytes. */
export const str = <D extends string | undefined>(
  description: string,
  options: Common<D> & { readonly maxBytes?: number; readonly pattern?: RegExp; readonly what?: string },
): PropertyDef<string | D> => ({
  type: 'str',
  description,
  ...common(options),
  read: (name, raw) => {
    if (typeof raw !== 'string') return wrongType(name, 'string');
    if (options.maxBytes !== undefined && utf8Length(raw) > options.maxBytes)
      return refuse(`Parameter '${name}' is too long: at most ${options.maxBytes} bytes`);
    if (options.pattern !== undefined && !options.pattern.test(raw))
      return refuse(`Parameter '${name}' expects ${options.what ?? 'another form'}, not '${raw}'`);
    return ok(raw);
  },
  write: (value) => value ?? '',
});

export function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** One of the listed words. */
export const oneOf = <const V extends string>(
  description: string,
  values: readonly V[],
  options: Common<NoInfer<V>> & { readonly type?: string },
): PropertyDef<V> => ({
  type: options.type ?? 'enum',
  description,
  ...common(options),
  choices: values,
  read: (name, raw) => {
    if (typeof raw === 'boolean') return oneOfBool(name, raw, values);
    if (typeof raw !== 'string') return wrongType(name, 'string');
    const found = values.find((value) => value === raw);
    if (found === undefined)
      return refuse(`Parameter '${name}' does not accept value '${raw}'`, `Possible: ${values.join(', ')}.`);
    return ok(found);
  },
  write: (value) => value,
});

function oneOfBool<V extends string>(
  name: string,
  raw: boolean,
  values: readonly V[],
): Result<V, ValueError> {
  const found = values.find((value) => value === (raw ? 'on' : 'off'));
  return found === undefined ? wrongType(name, 'string') : ok(found);
}

/** The id of another object; that it exists is checked when everything is known. */
export const link = (
  target: Reference,
  description: string,
  options: { readonly live?: boolean; readonly required?: boolean } = {},
): PropertyDef<string | undefined> => ({
  type: LINK_TYPES[target],
  description,
  default: undefined,
  live: options.live ?? false,
  required: options.required ?? false,
  refersTo: target,
  read: (name, raw) => (typeof raw === 'string' ? ok(raw) : wrongType(name, 'string')),
  write: (value) => value ?? '',
});

const LINK_TYPES: Readonly<Record<Reference, string>> = {
  qcontext: 'link<qcontext>',
  block: 'str',
  netdev: 'str',
  chardev: 'str',
  rng: 'link<rng-backend>',
  'throttle-group': 'link<throttle-group>',
};
