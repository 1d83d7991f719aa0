import type { Lab } from '../lib/lab.ts';
import type { BenchResult } from '../lib/result.ts';

/** A group of figures that can be asked for by `--only NAME`. */
export interface Part {
  readonly name: string;
  /** Seconds after which it is ended and what it still owes is reported as skipped. */
  readonly limitSeconds: number;
  /** The figures it owes. Others may come as well. */
  readonly owes: readonly string[];
  /** Reports each figure as soon as it has it. Throws when it can't go on. */
  run(lab: Lab, report: (...results: readonly BenchResult[]) => void): Promise<void>;
}
