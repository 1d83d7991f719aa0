import { generateFamily } from './family-generator.ts';
import { Random } from './random.ts';

/**
 * Seeded random scenarios. Each seed first draws a profile (how many sources, how much nesting, which
 * operations it favours), so that rare combinations come up in some of the thousands of scenarios
 * rather than being diluted in all of them.
 */

const EVENTS = [0, 1, 1, 1, 1, 2, 4, 4, 5, 8, 16, 17, 25, 32, 33, 63, 65535, 65537, -1];
const PRIORITIES = [-100, -1, 0, 0, 0, 1, 1, 5, 100, 200, 200, 300, 2147483647, -2147483648];
const TIMEOUT_MS = [0, 0, 1, 1, 2, 5, 10, 50, 1000, 100000, 2147483647, -1];
const READY_TIMES = ['-1', '-1', '0', '+0', '+0', '+1', '+500', '+999', '+1000', '+1001', '+5000', '+100000'];
/** Not relative ones near 2^63: what of those wraps differs by single µs, which a double can't tell (docs/qcontext.md). */
const RARE_READY_TIMES = [
  '1',
  '-2',
  '1000000',
  '1000001',
  '+9000000000000',
  '9223372036854775807',
  '+-1',
  '+-500',
];
const TICKS = [0, 1, 1, 10, 500, 999, 1000, 1001, 5000, 100000, 10_000_000];

/** Relative frequencies of the operations of one scenario. */
type Weights = Map<string, number>;

const BASE_WEIGHTS: readonly (readonly [string, number])[] = [
  ['attach', 6],
  ['destroy', 4],
  ['unref', 2],
  ['prio', 4],
  ['ready', 6],
  ['recurse', 3],
  ['child', 3],
  ['unchild', 2],
  ['addfd', 5],
  ['modfd', 3],
  ['rmfd', 3],
  ['fd', 5],
  ['setprep', 4],
  ['setchk', 4],
  ['tick', 4],
  ['wakeup', 2],
  ['iter', 8],
  ['pending', 2],
  ['prepare', 2],
  ['query', 2],
  ['poll', 2],
  ['check', 2],
  ['dispatch', 2],
];

const PHASES = ['prepare', 'query', 'poll', 'check', 'dispatch'];

class Generator {
  readonly #random: Random;
  readonly #names: string[] = [];
  readonly #fds: number;
  readonly #weights: Weights;
  readonly #total: number;

  constructor(seed: number) {
    this.#random = new Random(seed);
    const random = this.#random;
    this.#fds = random.pick([1, 2, 3, 5, 64]);
    this.#weights = new Map(BASE_WEIGHTS);
    // A few operations are favoured, a few left out.
    for (let i = 0; i < 3; i++) this.#weights.set(random.pick(BASE_WEIGHTS)[0], random.pick([0, 12, 30]));
    // The phases one by one: mostly left out, at times as much as all the rest together.
    const phases = random.pick([0, 0, 0, 2, 12]);
    for (const phase of PHASES) this.#weights.set(phase, phases);
    this.#total = [...this.#weights.values()].reduce((a, b) => a + b, 0);
  }

  scenario(): string[] {
    const random = this.#random;
    const lines: string[] = [];
    const sources = 1 + random.below(random.pick([3, 6, 6, 12]));
    for (let i = 0; i < sources; i++) lines.push(this.#source(i));
    const busy = random.pick([0, 1, 2, 4]);
    for (const name of this.#names) {
      for (let i = random.below(busy + 1); i > 0; i--)
        lines.push(`on ${name} ${this.#when()} ${this.#operation()}`);
    }
    this.#arrange(lines);
    for (let i = 2 + random.below(random.pick([10, 30, 60, 150])); i > 0; i--) this.#step(lines);
    return lines;
  }

  #source(index: number): string {
    const random = this.#random;
    const name = String.fromCharCode(65 + index);
    this.#names.push(name);
    const returnAfter = random.pick([0, 0, 0, 1, 2, 3]);
    const kind = random.next();
    if (kind < 0.12) return `idle ${name} ${returnAfter}`;
    if (kind < 0.27) return `timeout ${name} ${random.pick(TIMEOUT_MS)} ${returnAfter}`;
    const answer = (): string => random.pick(['-', '-', '0', '0', '1']);
    return `src ${name} ${answer()} ${answer()} ${random.pick([...TIMEOUT_MS, -1, -1, -1])} ${returnAfter}`;
  }

  /** Sets the scene: most sources get attached, some as children, in a random order. */
  #arrange(lines: string[]): void {
    const random = this.#random;
    const dense = random.pick([0.5, 0.9, 1]);
    for (const name of this.#names) {
      if (random.chance(0.3)) lines.push(`do ${this.#fdOperation('addfd', name)}`);
      if (random.chance(0.2)) lines.push(`do ready ${name} ${this.#readyTime()}`);
      if (random.chance(0.15)) lines.push(`do recurse ${name} 1`);
      if (random.chance(0.25)) lines.push(`do prio ${name} ${random.pick(PRIORITIES)}`);
      if (random.chance(0.25)) lines.push(`do child ${random.pick(this.#names)} ${name}`);
      if (random.chance(dense)) lines.push(`do attach ${name}`);
    }
  }

  #step(lines: string[]): void {
    const random = this.#random;
    const kind = random.next();
    if (kind < 0.35) {
      lines.push(`do iter ${random.below(2)}`);
    } else if (kind < 0.45 && (this.#weights.get('check') ?? 0) > 0) {
      // The phases in their order, with something in between now and then, or one left out.
      for (const phase of PHASES) {
        if (random.chance(0.06)) continue;
        lines.push(`do ${phase}`);
        if (random.chance(0.2)) lines.push(`do ${this.#operation()}`);
      }
    } else {
      lines.push(`do ${this.#operation()}`);
    }
  }

  #when(): string {
    return this.#random.pick(['*', '1', '1', '1', '2', '3']);
  }

  #name(): string {
    return this.#random.pick(this.#names);
  }

  #readyTime(): string {
    return this.#random.pick(this.#random.chance(0.1) ? RARE_READY_TIMES : READY_TIMES);
  }

  #fdOperation(op: string, name: string): string {
    const fd = this.#random.below(this.#fds);
    return op === 'rmfd' ? `${op} ${name} ${fd}` : `${op} ${name} ${fd} ${this.#random.pick(EVENTS)}`;
  }

  #operation(): string {
    const random = this.#random;
    let at = random.next() * this.#total;
    let op = 'iter';
    for (const [name, weight] of this.#weights) {
      at -= weight;
      if (at < 0) {
        op = name;
        break;
      }
    }
    switch (op) {
      case 'attach':
      case 'destroy':
      case 'unref':
        return `${op} ${this.#name()}`;
      case 'prio':
        return `prio ${this.#name()} ${random.pick(PRIORITIES)}`;
      case 'ready':
        return `ready ${this.#name()} ${this.#readyTime()}`;
      case 'recurse':
      case 'setprep':
      case 'setchk':
        return `${op} ${this.#name()} ${random.below(2)}`;
      case 'child':
      case 'unchild':
        return `${op} ${this.#name()} ${this.#name()}`;
      case 'addfd':
      case 'modfd':
      case 'rmfd':
        return this.#fdOperation(op, this.#name());
      case 'fd':
        return `fd ${random.below(this.#fds)} ${random.pick(EVENTS)}`;
      case 'tick':
        return `tick ${random.pick(TICKS)}`;
      case 'iter':
        return `iter ${random.below(2)}`;
      default:
        return op;
    }
  }
}

/** The scenario of a seed, one line an entry. Every third is one of families (family-generator.ts). */
export function generateScenario(seed: number): string[] {
  return seed % 3 === 0 ? generateFamily(seed) : new Generator(seed).scenario();
}
