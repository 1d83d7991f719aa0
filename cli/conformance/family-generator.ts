import { Random } from './random.ts';

/** Times that have come, most of them long ago; a virtual clock begins at 0 or a little later. */
const PAST = ['0', '0', '1', '+0', '+-1', '+-1000', '+-999999', '-1'];
const LATER = ['+1', '+999', '+1001', '+20000'];

/**
 * Another sort of random scenario than generator.ts: families of child sources of many generations, nearly all of which
 * may recurse, take each other apart from within their dispatches. Many priorities, ready times in the past, sources that
 * are attached, parented or unreferenced once too often.
 */
class FamilyGenerator {
  readonly #random: Random;
  readonly #names: string[] = [];
  /** Index of the parent; −1 at the root. */
  readonly #parents: number[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  scenario(): string[] {
    const random = this.#random;
    const lines: string[] = [];
    const size = 3 + random.below(random.pick([4, 10, 22]));
    const lineage = random.pick([0.3, 0.7, 0.95]);
    for (let i = 0; i < size; i++) {
      this.#names.push(String.fromCharCode(65 + i));
      this.#parents.push(i > 0 && random.chance(lineage) ? Math.max(0, i - 1 - random.below(3)) : -1);
      lines.push(this.#source(i));
    }
    const recursion = random.pick([0, 0.5, 0.9]);
    for (const [i, name] of this.#names.entries()) {
      if (random.chance(recursion)) lines.push(`do recurse ${name} 1`);
      if (this.#parents[i] === -1) lines.push(`do prio ${name} ${this.#priority()}`);
      for (let n = random.below(4); n > 0; n--)
        lines.push(`on ${name} ${random.pick(['*', '*', '1', '2', '5'])} ${this.#relation(i)}`);
    }
    this.#unite(lines);
    for (let n = 5 + random.below(40); n > 0; n--) {
      const kind = random.next();
      if (kind < 0.5) lines.push(`do iter ${random.below(2)}`);
      else if (kind < 0.6) lines.push(`do tick ${random.pick([0, 1, 999, 1000, 50_000])}`);
      else lines.push(`do ${this.#relation(random.below(size))}`);
    }
    return lines;
  }

  #source(i: number): string {
    const random = this.#random;
    const name = this.#names[i] as string;
    const again = random.pick([0, 0, 0, 1, 2, 4]);
    const kind = random.next();
    if (kind < 0.1) return `idle ${name} ${again}`;
    if (kind < 0.3) return `timeout ${name} ${random.pick([0, 1, 1, 3, 20])} ${again}`;
    return `src ${name} ${random.pick(['-', '0', '1'])} ${random.pick(['-', '0', '1'])} ${random.pick([-1, -1, 0, 7])} ${again}`;
  }

  /** Parents and children come together in any order, before or after a root is attached. */
  #unite(lines: string[]): void {
    const random = this.#random;
    const steps = this.#names.flatMap((name, i) => {
      const parent = this.#names[this.#parents[i] ?? -1];
      return parent === undefined ? [`do attach ${name}`] : [`do child ${parent} ${name}`];
    });
    while (steps.length > 0) {
      const at = random.chance(0.7) ? 0 : random.below(steps.length);
      lines.push(...steps.splice(at, 1));
      if (random.chance(0.2)) lines.push(`do ready ${random.pick(this.#names)} ${random.pick(PAST)}`);
      if (random.chance(0.1)) lines.push(`do addfd ${random.pick(this.#names)} ${random.below(4)} 1`);
    }
    for (let fd = 0; fd < 4; fd++) if (random.chance(0.5)) lines.push(`do fd ${fd} 1`);
  }

  #priority(): number {
    const random = this.#random;
    return random.chance(0.1) ? random.pick([-2147483648, 2147483647]) : random.below(21) - 10;
  }

  /** Something that source `i` does to itself, a parent, a child, a sibling or anyone. */
  #relation(i: number): string {
    const random = this.#random;
    const own = this.#names[i] as string;
    const parent = this.#names[this.#parents[i] ?? -1] ?? own;
    const children = this.#names.filter((_, child) => this.#parents[child] === i);
    const child = children.length === 0 ? random.pick(this.#names) : random.pick(children);
    const anyone = random.pick([own, parent, child, random.pick(this.#names)]);
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        return `iter ${random.below(2)}`;
      case 3:
        return `destroy ${anyone}`;
      case 4:
        return `unchild ${own} ${child}`;
      case 5:
        return `child ${anyone} ${random.pick(this.#names)}`;
      case 6:
        return `attach ${anyone}`;
      case 7:
        return `unref ${anyone}`;
      case 8:
        return `prio ${anyone} ${this.#priority()}`;
      case 9:
        return `ready ${anyone} ${random.pick(random.chance(0.7) ? PAST : LATER)}`;
      case 10:
        return random.chance(0.5)
          ? `${random.pick(['setprep', 'setchk', 'recurse'])} ${anyone} ${random.below(2)}`
          : `${random.pick(['addfd', 'modfd'])} ${anyone} ${random.below(4)} ${random.pick([0, 1, 4, 5])}`;
      default:
        return random.pick([
          'pending',
          'wakeup',
          `tick ${random.pick([1, 1000, 30_000])}`,
          `rmfd ${anyone} ${random.below(4)}`,
        ]);
    }
  }
}

/** The scenario of a seed, one line an entry. */
export function generateFamily(seed: number): string[] {
  return new FamilyGenerator(seed).scenario();
}
