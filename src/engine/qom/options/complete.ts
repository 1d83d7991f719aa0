import { TRACE_EVENTS } from '../../trace/schema.ts';
import type { PropertyTable, Reference } from '../property.ts';
import { creatableTypes, DEVICE_ALIASES, DEVICE_TABLES, isA, OBJECT_TABLES } from '../types/type-registry.ts';
import { BLOCKDEV_DRIVERS, blockdevKeys } from './blockdev-option.ts';
import { CHARDEV_BACKENDS, MON_OPTION } from './char-options.ts';
import { DRIVE_NESTED, DRIVE_OPTION } from './drive-option.ts';
import type { Span } from './json.ts';
import {
  ACCEL_OPTION,
  CPU_OPTION,
  MACHINE_OPTION,
  MEMORY_OPTION,
  RTC_OPTION,
  SMP_OPTION,
} from './machine-options.ts';
import { NETDEV_TYPES } from './net-options.ts';
import { CONTEXT_OPTION } from './object-options.ts';
import { OPTIONS, optionByName } from './option-table.ts';
import { parseOpts } from './opts.ts';
import { splitCommandLine } from './shell.ts';

/** One thing that could stand at the cursor. */
export interface Candidate {
  /** What replaces the span. */
  readonly text: string;
  readonly kind: 'option' | 'type' | 'property' | 'value' | 'id';
  readonly detail: string;
}

export interface Completion {
  /** The part of the text that is being typed. */
  readonly span: Span;
  readonly candidates: readonly Candidate[];
}

const NONE: Completion = { span: [0, 0], candidates: [] };

/**
 * What could stand at an offset of a command line written as text. Ids that the rest of the line defines are
 * offered where they fit, also when the line does not parse yet.
 */
export function completeCommandLine(text: string, offset: number): Completion {
  const { words } = splitCommandLine(text);
  const index = words.findIndex((word) => word.start <= offset && offset <= word.end);
  const word = index < 0 ? undefined : words[index];
  const before = index < 0 ? words.findLast((other) => other.end < offset) : words[index - 1];
  const option =
    before !== undefined && /^--?[A-Za-z]/.test(before.value)
      ? optionByName(before.value.replace(/^--?/, ''))
      : undefined;
  const typed =
    word === undefined ? '' : word.value.slice(0, word.offsets.filter((at) => at < offset).length);
  if (option === undefined || option.value === undefined) {
    const span: Span = word === undefined ? [offset, offset] : [word.start, word.end];
    const candidates = OPTIONS.map(
      (info): Candidate => ({ text: `-${info.name}`, kind: 'option', detail: info.help }),
    );
    return { span, candidates: matching(candidates, typed) };
  }
  if (typed.startsWith('{')) return NONE;
  return completeValue(option.name, typed, offset, idsOf(words.map((each) => each.value)));
}

const matching = (candidates: readonly Candidate[], typed: string): readonly Candidate[] =>
  candidates.filter((candidate) => candidate.text.startsWith(typed) && candidate.text !== typed);

type Ids = Readonly<Record<Reference, readonly string[]>>;

function completeValue(option: string, typed: string, offset: number, ids: Ids): Completion {
  const opts = parseOpts(typed, 'head');
  const ended = typed === '' || /(^|[^,])(,,)*,$/.test(typed);
  const current = ended ? undefined : opts.at(-1);
  const head = opts.find((opt) => opt.key === 'head')?.value;
  const first = typed === '' || (opts.length === 1 && current?.key === 'head');
  const { heads, table, nested } = describe(
    option,
    head,
    first ? undefined : opts.map((opt) => [opt.key, opt.value] as const),
  );
  const spanOf = (length: number): Span => [offset - length, offset];
  if (current !== undefined && current.key !== 'head' && !current.bare) {
    return {
      span: spanOf(current.value.length),
      candidates: matching(valuesOf(table, current.key, ids), current.value),
    };
  }
  const part = current?.value === 'on' && current.bare ? current.key : (current?.value ?? '');
  const used = new Set(opts.filter((opt) => opt !== current).map((opt) => opt.key));
  const keys = Object.entries(table)
    .filter(([name]) => !used.has(name))
    .map(
      ([name, property]): Candidate => ({ text: `${name}=`, kind: 'property', detail: property.description }),
    );
  const extra = nested
    .filter((name) => !used.has(name))
    .map((name): Candidate => ({ text: `${name}=`, kind: 'property', detail: '' }));
  const candidates = first && heads.length > 0 ? heads : [...keys, ...extra];
  return { span: spanOf(part.length), candidates: matching(candidates, part) };
}

interface Shape {
  /** What may stand first, without a key. */
  readonly heads: readonly Candidate[];
  readonly table: PropertyTable;
  readonly nested: readonly string[];
}

const types = (names: Iterable<readonly [string, string]>): readonly Candidate[] =>
  [...names].map(([text, detail]) => ({ text, kind: 'type', detail }));
const plain = (names: readonly string[]): readonly Candidate[] =>
  types(names.map((name) => [name, ''] as const));
const ID = { id: { description: 'its name' } } as unknown as PropertyTable;

function describe(
  option: string,
  head: string | undefined,
  given: readonly (readonly [string, string])[] | undefined,
): Shape {
  const shape = (
    heads: readonly Candidate[],
    table: PropertyTable,
    nested: readonly string[] = [],
  ): Shape => ({ heads, table, nested });
  const pick = (tables: Readonly<Record<string, PropertyTable>>): PropertyTable =>
    head !== undefined && Object.hasOwn(tables, head) ? { ...ID, ...tables[head] } : {};
  switch (option) {
    case 'device': {
      const names = types([
        ...creatableTypes('device').map((type) => [type.name, type.description] as const),
        ...Object.entries(DEVICE_ALIASES)
          .filter(([, alias]) => alias.note === undefined)
          .map(([name, alias]) => [name, alias.driver] as const),
      ]);
      const alias =
        head !== undefined && Object.hasOwn(DEVICE_ALIASES, head) ? DEVICE_ALIASES[head]?.driver : undefined;
      return shape(names, alias === undefined ? pick(DEVICE_TABLES) : { ...ID, ...DEVICE_TABLES[alias] });
    }
    case 'object':
      return shape(
        types(creatableTypes('object').map((type) => [type.name, type.description] as const)),
        pick(OBJECT_TABLES),
      );
    case 'context':
      return shape([], given === undefined ? {} : CONTEXT_OPTION);
    case 'drive':
      return shape([], { ...ID, ...DRIVE_OPTION }, DRIVE_NESTED);
    case 'blockdev': {
      const driver =
        head !== undefined && Object.hasOwn(BLOCKDEV_DRIVERS, head)
          ? (head as keyof typeof BLOCKDEV_DRIVERS)
          : undefined;
      return shape(
        plain(Object.keys(BLOCKDEV_DRIVERS)),
        {},
        driver === undefined ? [] : blockdevKeys(driver),
      );
    }
    case 'chardev':
      return shape(plain(Object.keys(CHARDEV_BACKENDS)), pick(CHARDEV_BACKENDS));
    case 'netdev':
    case 'nic':
      return shape(
        plain([...Object.keys(NETDEV_TYPES), ...(option === 'nic' ? ['none'] : [])]),
        pick(NETDEV_TYPES),
      );
    case 'machine':
    case 'M':
      return shape(plain(['virt']), MACHINE_OPTION);
    case 'accel':
      return shape(plain(['tcg']), ACCEL_OPTION);
    case 'cpu':
      return shape(plain(['rv64', 'max']), CPU_OPTION);
    case 'smp':
      return shape([], SMP_OPTION);
    case 'm':
      return shape([], MEMORY_OPTION);
    case 'rtc':
      return shape([], RTC_OPTION);
    case 'mon':
      return shape([], MON_OPTION);
    case 'trace':
      return shape(types(TRACE_EVENTS.map((event) => [event.name, event.group] as const)), {});
    case 'serial':
    case 'monitor':
    case 'qmp':
      return shape(plain(['stdio', 'mon:stdio', 'vc', 'null', 'none', 'chardev:']), {});
    case 'display':
    case 'vga':
      return shape(plain(['none']), {});
    default:
      return shape([], {});
  }
}

function valuesOf(table: PropertyTable, key: string, ids: Ids): readonly Candidate[] {
  const property = table[key];
  if (property === undefined) return [];
  if (property.refersTo !== undefined)
    return ids[property.refersTo].map((text): Candidate => ({ text, kind: 'id', detail: property.type }));
  return (property.choices ?? []).map((text): Candidate => ({ text, kind: 'value', detail: property.type }));
}

/** The ids a command line defines, read as far as they can be without parsing it. */
function idsOf(argv: readonly string[]): Ids {
  const ids: Record<Reference, string[]> = {
    qcontext: ['main'],
    block: [],
    netdev: [],
    chardev: [],
    rng: [],
    'throttle-group': [],
  };
  for (const [index, word] of argv.entries()) {
    const value = argv[index + 1];
    if (value === undefined) continue;
    const opts = parseOpts(value, 'head');
    const head = opts.find((opt) => opt.key === 'head')?.value ?? '';
    const id = opts.find((opt) => opt.key === (word === '-blockdev' ? 'node-name' : 'id'))?.value;
    if (word === '-context' && head !== '') ids.qcontext.push(head);
    if (id === undefined) continue;
    if (word === '-drive' || word === '-blockdev') ids.block.push(id);
    else if (word === '-netdev') ids.netdev.push(id);
    else if (word === '-chardev') ids.chardev.push(id);
    else if (word === '-object' && isA(head, 'qcontext')) ids.qcontext.push(id);
    else if (word === '-object' && isA(head, 'rng-backend')) ids.rng.push(id);
    else if (word === '-object' && isA(head, 'throttle-group')) ids['throttle-group'].push(id);
  }
  return ids;
}
