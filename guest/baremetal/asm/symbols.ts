import { fail } from './error.ts';
import type { Value } from './expression.ts';

/** The parts of a program, in the order they are loaded. `.bss` takes room but no bytes in the image. */
export const SECTIONS = ['.text', '.rodata', '.data', '.bss'] as const;
export type SectionName = (typeof SECTIONS)[number];

/** A constant, or a place in a section whose address is known once all sections have their sizes. */
type Definition =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'label'; readonly section: SectionName; readonly offset: number };

/** All names of a program. Numeric labels (`1:`, reached as `1b` and `1f`) become unique names here. */
export class SymbolTable {
  readonly #definitions = new Map<string, Definition>();
  readonly #localCounts = new Map<string, number>();

  define(name: string, definition: Definition): void {
    let unique = name;
    if (/^\d+$/.test(name)) {
      const count = (this.#localCounts.get(name) ?? 0) + 1;
      this.#localCounts.set(name, count);
      unique = localName(name, count);
    } else if (this.#definitions.has(name)) {
      fail(`'${name}' is defined twice`);
    }
    this.#definitions.set(unique, definition);
  }

  /** The unique name behind `1b` or `1f`, seen from the current statement. */
  readonly local = (reference: string): string => {
    const name = reference.slice(0, -1);
    const count = this.#localCounts.get(name) ?? 0;
    if (!reference.endsWith('b')) return localName(name, count + 1);
    return count > 0 ? localName(name, count) : fail(`there is no label '${name}:' before this line`);
  };

  /** The value of a name while sizes are still being found: labels have none yet. */
  constant(name: string): Value {
    const definition = this.#definitions.get(name);
    if (definition?.kind === 'constant') return { value: definition.value, addresses: 0 };
    return fail(
      definition
        ? `'${name}' is a label, a constant is needed here`
        : `'${name}' is not defined before this line, its value is needed here`,
    );
  }

  /** The value of a name once sections are placed at `bases`. */
  resolve(name: string, bases: ReadonlyMap<SectionName, number>): Value {
    const definition = this.#definitions.get(name);
    if (!definition) return fail(`'${name.split(LOCAL_MARK)[0] ?? name}' is not defined`);
    if (definition.kind === 'constant') return { value: definition.value, addresses: 0 };
    return { value: BigInt((bases.get(definition.section) ?? 0) + definition.offset), addresses: 1 };
  }

  /** Every named label with its offset from the load address. */
  labels(bases: ReadonlyMap<SectionName, number>): Map<string, number> {
    const labels = new Map<string, number>();
    for (const [name, definition] of this.#definitions) {
      if (definition.kind === 'label' && !name.includes(LOCAL_MARK)) {
        labels.set(name, (bases.get(definition.section) ?? 0) + definition.offset);
      }
    }
    return labels;
  }
}

/** A character no identifier contains. */
const LOCAL_MARK = '\u0000';

function localName(name: string, count: number): string {
  return `${name}${LOCAL_MARK}${count}`;
}
