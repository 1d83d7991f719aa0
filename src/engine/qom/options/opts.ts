import { err, ok, type Result } from '../../base/result.ts';
import { parseJson, type Span } from './json.ts';

/** One `key=value` of an option argument, and where it stands in it. */
export interface Opt {
  readonly key: string;
  readonly value: string;
  readonly keySpan: Span;
  readonly valueSpan: Span;
  /** No `=`: a flag that means `on`. */
  readonly bare: boolean;
}

/** A mistake inside one argument. */
export interface ArgError {
  readonly desc: string;
  readonly hint?: string;
  readonly span: Span;
}

/**
 * Splits an option argument as QemuOpts does: `key=value,key=value`, a comma in a value written `,,`. The
 * first piece without `=` is the value of `impliedKey`; later ones are flags that mean `on`.
 */
export function parseOpts(text: string, impliedKey: string | undefined): readonly Opt[] {
  const opts: Opt[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    let key: string | undefined;
    let keySpan: Span = [start, start];
    let valueStart = start;
    let value = '';
    for (; at < text.length; at++) {
      const char = text.charAt(at);
      if (char === ',') {
        if (text.charAt(at + 1) !== ',') break;
        at++;
      } else if (char === '=' && key === undefined) {
        key = value;
        keySpan = [start, at];
        value = '';
        valueStart = at + 1;
        continue;
      }
      value += char;
    }
    const end = at;
    at++;
    if (key !== undefined) {
      opts.push({ key, value, keySpan, valueSpan: [valueStart, end], bare: false });
    } else if (start === 0 && impliedKey !== undefined) {
      opts.push({ key: impliedKey, value, keySpan: [0, 0], valueSpan: [start, end], bare: false });
    } else if (value !== '') {
      opts.push({ key: value, value: 'on', keySpan: [start, end], valueSpan: [start, end], bare: true });
    }
  }
  return opts;
}

/** Writes a value so that `parseOpts` reads it back. */
export const escapeOpt = (value: string): string => value.replaceAll(',', ',,');

/**
 * An option argument as a tree, whichever way it was written: QemuOpts, dotted keys (`file.driver=file`,
 * `list.0.x=1`) or JSON. Leaves of the text forms are strings. Paths are dotted.
 */
export interface OptTree {
  readonly values: ReadonlyMap<string, unknown>;
  /** Keys given more than once; the last counts, as in QEMU. */
  readonly repeated: readonly Opt[];
  keySpan(path: string): Span;
  valueSpan(path: string): Span;
}

/** Parses either form. JSON is told by its `{`. */
export function parseOptTree(text: string, impliedKey: string | undefined): Result<OptTree, ArgError> {
  return /^\s*\{/.test(text) ? fromJson(text) : fromDotted(text, parseOpts(text, impliedKey));
}

function fromJson(text: string): Result<OptTree, ArgError> {
  const parsed = parseJson(text);
  if (!parsed.ok) {
    const { message, offset } = parsed.error;
    return err({ desc: `JSON parse error, ${message}`, span: [offset, Math.min(offset + 1, text.length)] });
  }
  const { value, keySpans, valueSpans } = parsed.value;
  const whole: Span = [0, text.length];
  return ok({
    values: new Map(Object.entries(value as Record<string, unknown>)),
    repeated: [],
    keySpan: (path) => keySpans.get(path) ?? whole,
    valueSpan: (path) => valueSpans.get(path) ?? whole,
  });
}

type Branch = Map<string, string | Branch>;

function fromDotted(text: string, opts: readonly Opt[]): Result<OptTree, ArgError> {
  const root: Branch = new Map();
  const byPath = new Map<string, Opt>();
  const repeated: Opt[] = [];
  for (const opt of opts) {
    const parts = opt.key.split('.');
    if (parts.includes('')) return err({ desc: `Invalid parameter '${opt.key}'`, span: opt.keySpan });
    let branch = root;
    for (const part of parts.slice(0, -1)) {
      const next = branch.get(part) ?? new Map<string, string | Branch>();
      if (typeof next === 'string')
        return err({ desc: `Parameters '${part}' and '${opt.key}' exclude each other`, span: opt.keySpan });
      branch.set(part, next);
      branch = next;
    }
    const leaf = parts.at(-1) ?? '';
    const before = branch.get(leaf);
    if (before instanceof Map)
      return err({
        desc: `Parameters '${opt.key}' and '${opt.key}.…' exclude each other`,
        span: opt.keySpan,
      });
    if (before !== undefined) repeated.push(opt);
    branch.set(leaf, opt.value);
    byPath.set(opt.key, opt);
  }
  const within = (path: string): Opt | undefined =>
    byPath.get(path) ?? opts.find((opt) => opt.key.startsWith(`${path}.`));
  const whole: Span = [0, text.length];
  return ok({
    values: new Map([...root].map(([key, value]) => [key, toPlain(value)])),
    repeated,
    keySpan: (path) => within(path)?.keySpan ?? whole,
    valueSpan: (path) => within(path)?.valueSpan ?? whole,
  });
}

/** A branch whose keys are 0, 1, 2 … is a list. */
function toPlain(value: string | Branch): unknown {
  if (typeof value === 'string') return value;
  const entries = [...value].map(([key, child]) => [key, toPlain(child)] as const);
  const isList = entries.every(
    ([key]) => value.has(key) && /^(0|[1-9]\d*)$/.test(key) && Number(key) < entries.length,
  );
  if (!isList) return Object.fromEntries(entries);
  return entries.toSorted((a, b) => Number(a[0]) - Number(b[0])).map(([, child]) => child);
}
