import type { UserError } from '../../base/result.ts';
import type { PropertyDef, PropertyTable, PropsOf } from '../property.ts';
import type { Span } from './json.ts';
import { type OptTree, parseOptTree } from './opts.ts';
import { possible } from './suggest.ts';

/** Thrown inside the option parser only; `parseCommandLine` and the monitor turn it into a value. */
export class OptionError extends Error {
  readonly error: UserError;
  constructor(error: UserError) {
    super(error.desc);
    this.error = error;
  }
}

/** Runs a part of the parser; a user's mistake comes back as the second form. */
export function catchOptionError<T>(run: () => T): { ok: true; value: T } | { ok: false; error: UserError } {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    if (error instanceof OptionError) return { ok: false, error: error.error };
    throw error;
  }
}

/** A remark that is not an error: the machine runs, but not exactly as written. */
export interface Note {
  readonly argIndex: number;
  readonly span: Span;
  readonly text: string;
}

/** One option of the command line with its value, and how to complain about it. */
export class Arg {
  /** As typed, `-device`; empty for arguments that come from the monitor. */
  readonly option: string;
  /** Index in argv of the value, or of the option itself if it has none. */
  readonly index: number;
  readonly text: string;
  readonly notes: Note[];

  constructor(option: string, index: number, text: string, notes: Note[]) {
    this.option = option;
    this.index = index;
    this.text = text;
    this.notes = notes;
  }

  fail(desc: string, hint?: string, span?: Span): never {
    const shown = this.text.length > 72 ? `${this.text.slice(0, 71)}…` : this.text;
    const place =
      this.option === '' ? '' : `${this.option}${shown === '' || shown === this.option ? '' : ` ${shown}`}: `;
    throw new OptionError({
      class: 'GenericError',
      desc: `${place}${desc}`,
      ...(hint === undefined ? {} : { hint }),
      ...(this.option === '' ? {} : { argIndex: this.index, span: span ?? [0, this.text.length] }),
    });
  }

  /** As `fail`, for an argument that is no option: it has a place but no option before it. */
  failAt(desc: string, hint: string): never {
    throw new OptionError({
      class: 'GenericError',
      desc,
      hint,
      argIndex: this.index,
      span: [0, this.text.length],
    });
  }

  note(text: string, span?: Span): void {
    this.notes.push({ argIndex: this.index, span: span ?? [0, this.text.length], text });
  }

  /** The value as a tree of properties. */
  bag(impliedKey: string | undefined): Bag {
    const tree = parseOptTree(this.text, impliedKey);
    if (!tree.ok) return this.fail(tree.error.desc, tree.error.hint, tree.error.span);
    for (const opt of tree.value.repeated)
      this.note(`'${opt.key}' is given more than once; the last one counts`, opt.keySpan);
    return new Bag(this, tree.value.values, tree.value, '');
  }
}

/** The properties of one argument (or of a part of it), taken one by one; what is left over is an error. */
export class Bag {
  readonly arg: Arg;
  readonly #values: Map<string, unknown>;
  readonly #taken = new Set<string>();
  readonly #tree: Pick<OptTree, 'keySpan' | 'valueSpan'>;
  readonly #prefix: string;

  constructor(
    arg: Arg,
    values: ReadonlyMap<string, unknown>,
    tree: Pick<OptTree, 'keySpan' | 'valueSpan'>,
    prefix: string,
  ) {
    this.arg = arg;
    this.#values = new Map(values);
    this.#tree = tree;
    this.#prefix = prefix;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  keySpan = (name: string): Span => this.#tree.keySpan(this.#prefix + name);
  valueSpan = (name: string): Span => this.#tree.valueSpan(this.#prefix + name);

  /** Complains about one property's value. */
  fail(name: string, desc: string, hint?: string): never {
    return this.arg.fail(desc, hint, this.valueSpan(name));
  }

  note(name: string, text: string): void {
    this.arg.note(text, this.valueSpan(name));
  }

  /** A property's value, left in its place. */
  peek(name: string): unknown {
    return this.#values.get(name);
  }

  /** Takes a property out, unread. */
  raw(name: string): unknown {
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value;
  }

  /** Takes a property out; undefined if it was not given. */
  take<T>(name: string, property: PropertyDef<T>): T | undefined {
    if (!this.#values.has(name)) {
      if (property.required && !this.#taken.has(name))
        this.arg.fail(`Parameter '${this.#prefix}${name}' is missing`, `${name}: ${property.description}`);
      return undefined;
    }
    const read = property.read(this.#prefix + name, this.#values.get(name));
    if (!read.ok) return this.fail(name, read.error.desc, read.error.hint);
    this.#values.delete(name);
    this.#taken.add(name);
    return read.value;
  }

  /** Takes a string out. */
  string(name: string): string | undefined {
    if (!this.#values.has(name)) return undefined;
    const value = this.#values.get(name);
    if (typeof value !== 'string')
      return this.fail(name, `Invalid parameter type for '${this.#prefix}${name}', expected: string`);
    this.#values.delete(name);
    return value;
  }

  /** Takes an id out, checked to be one. */
  id(name: string, required: true): string;
  id(name: string, required: boolean): string | undefined;
  id(name: string, required: boolean): string | undefined {
    const given = this.has(name);
    const span = this.valueSpan(name);
    const id = this.string(name);
    if (!given && required) return this.arg.fail(`Parameter '${this.#prefix}${name}' is missing`);
    if (id !== undefined && !/^[A-Za-z][A-Za-z0-9._-]*$/.test(id))
      return this.arg.fail(
        `Parameter '${this.#prefix}${name}' expects an identifier`,
        "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
        span,
      );
    return id;
  }

  /** The properties below one that is an object; undefined if it was not given or is not an object. */
  sub(name: string): Bag | undefined {
    const value = this.#values.get(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    this.#values.delete(name);
    return new Bag(this.arg, new Map(Object.entries(value)), this.#tree, `${this.#prefix}${name}.`);
  }

  /** Takes all properties of a table and complains about anything else. Only what was given is in the result. */
  table<Table extends PropertyTable>(table: Table, owner: string): Partial<PropsOf<Table>> {
    const props: Record<string, unknown> = {};
    this.done(Object.keys(table), owner);
    // In the order given, which a rewritten command line keeps; then what is missing.
    for (const name of [...this.#values.keys(), ...Object.keys(table)]) {
      const property = table[name];
      const value = property === undefined ? undefined : this.take(name, property);
      if (value !== undefined) props[name] = value;
    }
    return props as Partial<PropsOf<Table>>;
  }

  /** Complains about the first property that nobody took and that is not in `known`. */
  done(known: readonly string[], owner: string): void {
    for (const name of this.#values.keys()) {
      if (known.includes(name)) continue;
      this.arg.fail(
        `Property '${owner}.${this.#prefix}${name}' not found`,
        possible(name, known),
        this.keySpan(name),
      );
    }
  }
}

const NOWHERE: Pick<OptTree, 'keySpan' | 'valueSpan'> = { keySpan: () => [0, 0], valueSpan: () => [0, 0] };

/** The properties of a monitor command: complaints have no place, only words. */
export const monitorBag = (values: Readonly<Record<string, unknown>>): Bag =>
  new Bag(new Arg('', 0, '', []), new Map(Object.entries(values)), NOWHERE, '');
