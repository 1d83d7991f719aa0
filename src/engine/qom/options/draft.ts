import type { Arg, Bag, Note } from './arg.ts';

import { DEFAULT_CONFIG, type MachineConfig } from './config.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Who wrote a part of the configuration: complaints that need the whole picture still name the place. */
export class Origin {
  readonly #arg: Arg;
  readonly #bag: Bag | undefined;
  constructor(arg: Arg, bag?: Bag) {
    this.#arg = arg;
    this.#bag = bag;
  }
  get argIndex(): number {
    return this.#arg.index;
  }
  fail(property: string | undefined, desc: string, hint?: string): never {
    return this.#arg.fail(desc, hint, property === undefined ? undefined : this.#bag?.valueSpan(property));
  }
  note(property: string | undefined, text: string): void {
    this.#arg.note(text, property === undefined ? undefined : this.#bag?.valueSpan(property));
  }
}

/** A configuration in the making, and the origin of each of its parts (same key, same index). */
export class Draft {
  readonly config: Mutable<MachineConfig> = structured(DEFAULT_CONFIG);
  readonly notes: Note[] = [];
  readonly origins = {
    objects: [] as Origin[],
    blockdevs: [] as Origin[],
    drives: [] as Origin[],
    chardevs: [] as Origin[],
    netdevs: [] as Origin[],
    devices: [] as Origin[],
    nics: [] as Origin[],
    serials: [] as Origin[],
    monitors: [] as Origin[],
    globals: [] as Origin[],
  };
  /** `-nographic`, if it was said. */
  noGraphic: Origin | undefined;

  /** Appends a part with the place it came from. */
  add<K extends keyof Draft['origins']>(kind: K, part: MachineConfig[K][number], arg: Arg, bag?: Bag): void {
    (this.config[kind] as MachineConfig[K][number][]).push(part);
    this.origins[kind].push(new Origin(arg, bag));
  }
}

const structured = (config: MachineConfig): Mutable<MachineConfig> => ({
  ...config,
  objects: [],
  blockdevs: [],
  drives: [],
  chardevs: [],
  netdevs: [],
  devices: [],
  nics: [],
  serials: [],
  monitors: [],
  globals: [],
  trace: [],
});
