import type { BoardSnapshot, DeviceSnapshot } from '../../../engine/vm.ts';
import type { INSPECTOR } from '../commands.ts';
import type { BoardFrame } from '../live-board.ts';
import type { Move } from '../moves.ts';
import type { ContextRecords } from '../trace/context-records.ts';

/** Tabs of the inspector a step may bring to the front. */
export type InspectorTab = keyof typeof INSPECTOR;

/** Where the first disk is, and where it can be moved. */
export interface Place {
  readonly from: string;
  readonly to: string;
}

/** What a step can do: the same things a person can do. */
export interface Hands {
  /** Types a command at the guest's shell. */
  type(command: string): void;
  /** Types letters one after another and keeps, as `fact`, what each took until the guest's terminal echoed it. */
  timeTyping(fact: string): void;
  /** Moves the disk, or one virtqueue of it. */
  move(to: string, queue?: number): void;
  /** One QMP command; its answer, or its error in words, is kept as `fact`. */
  qmp(fact: string, execute: string, args: Readonly<Record<string, unknown>>): void;
  /** Counts what the trace records of each context for so long, and keeps it as `fact`. */
  countRecords(fact: string, seconds: number): void;
  /** Moves one virtqueue there and back; what was recorded until `seconds` after that is kept as `fact`. */
  moveAndBack(fact: string, from: string, to: string, queue: number, seconds: number): void;
}

/** What a step is judged by. */
export interface Look {
  readonly frame: BoardFrame;
  /** The board when the step's button was pressed. */
  readonly since: BoardSnapshot;
  /** The disk now. */
  readonly disk: DeviceSnapshot;
  /** The last move of this disk. */
  readonly move: Move | undefined;
  /** The guest waits for a command: its prompt is the last thing on its line. */
  readonly atPrompt: boolean;
  readonly place: Place;
  /** What earlier steps measured. A step may add to it. */
  readonly facts: Map<string, Fact>;
}

export type Fact = number | string | readonly number[] | { readonly records: readonly ContextRecords[] };

/** One thing to do, done when the machine shows it, not when a button was pressed. */
export interface Step {
  readonly id: string;
  readonly text: (place: Place) => string;
  /** Absent: nothing to press; the step is judged from its beginning. */
  readonly button?: (place: Place) => string;
  readonly waiting?: string;
  readonly show?: InspectorTab;
  readonly act?: (hands: Hands, place: Place) => void;
  /** What was seen, in one sentence, once it was; undefined until then. The last step of a scenario has none. */
  readonly done?: (look: Look) => string | undefined;
}

/** Something to find out about a machine: its configuration, and steps that lead to an answer nobody wrote beforehand. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** What it asks, for the menu. */
  readonly question: string;
  /** The command line it needs, made from the page's default; undefined: any machine with a disk will do. */
  readonly commandLine?: (standard: string) => string;
  readonly steps: readonly Step[];
}
