import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Vm } from '../../../engine/vm.ts';
import { bytes } from '../format.ts';
import type { LiveBoard } from '../live-board.ts';
import type { SerialLog } from '../serial-log.ts';
import { KeptOutput } from './kept-output.ts';
import { Quiet } from './quiet.ts';
import { loadWarmRecord, type RecordStorage, saveWarmRecord, type WarmRecord } from './warm-record.ts';

/** How a start of the page's machine goes about its snapshot. */
export interface WarmPlan {
  /** Arguments to add; none: boot. */
  readonly argv: readonly string[];
  /** What the terminal had been sent when the snapshot was made. */
  readonly output: string;
  /** Milliseconds since 1970; undefined: boot. */
  readonly savedAt: number | undefined;
  /** Why it boots though there is a snapshot, as a sentence. */
  readonly why: string | undefined;
}

/** What becomes of the next visit. */
export type NextVisit =
  | { readonly kind: 'boots'; readonly why?: string }
  | { readonly kind: 'saving' }
  | { readonly kind: 'resumes'; readonly savedAt: number; readonly pauseMs: number };

export interface WarmStartOptions {
  readonly storage: RecordStorage;
  /** Size and time of the last change of a file; undefined if there is none. */
  readonly fileState: (name: string) => Promise<string | undefined>;
  /** Bytes this site may still store; undefined if unknown. */
  readonly room: () => Promise<number | undefined>;
  /** Files a command line boots from, disks not among them. */
  readonly bootFiles: (argv: readonly string[]) => readonly string[];
  /** The user wants it. */
  readonly enabled: () => boolean;
  readonly now: () => number;
}

const TAG = 'warm-';
/** What a snapshot takes at least, while none is there to compare with. */
const LEAST_ROOM = 96 * 1024 * 1024;
/** The board is looked at this far apart (ns): shorter, and one burst of a guest's housekeeping would count for work. */
const LOOK_NS = 300e6;
const BOOT: WarmPlan = { argv: [], output: '', savedAt: undefined, why: undefined };
/** Options with which a start is none that a snapshot could stand for. */
const OWN_START = new Set(['-loadvm', '-S', '-incoming']);

/** 14:02, as the user's language writes it. */
export const timeOfDay = (ms: number): string =>
  new Date(ms).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });

/**
 * Keeps a snapshot of the machine at rest, so that the next visit goes on from it instead of booting. The guest's
 * disk goes on changing after a snapshot, so it is made anew whenever the machine has come to rest after some
 * activity; the engine refuses one whose disk has been written to since (docs/snapshots.md), and then the
 * machine boots and the page says why.
 */
export class WarmStart {
  readonly store: StoreApi<{ readonly next: NextVisit }>;
  readonly #options: WarmStartOptions;
  #stop: () => void = () => {};

  constructor(options: WarmStartOptions) {
    this.#options = options;
    this.store = createStore<{ readonly next: NextVisit }>(() => ({ next: { kind: 'boots' } }));
  }

  /** What to start this machine from. Called before each start that may resume. */
  async plan(argv: readonly string[]): Promise<WarmPlan> {
    const warm = loadWarmRecord(this.#options.storage);
    if (warm === undefined || !this.#options.enabled() || argv.some((arg) => OWN_START.has(arg))) return BOOT;
    // Another machine has another snapshot, or none yet: nothing to be said.
    if (warm.commandLine !== argv.join('\n')) return BOOT;
    const since = `since the snapshot of ${timeOfDay(warm.savedAt)} was made`;
    const now = await this.#bootFiles(argv);
    for (const [name, state] of Object.entries(warm.bootFiles))
      if (now[name] !== state) return { ...BOOT, why: `${name} has changed ${since}` };
    return { argv: ['-loadvm', warm.tag], output: warm.output, savedAt: warm.savedAt, why: undefined };
  }

  /** The machine is no longer what the snapshot is of (its power was cut, it has shut down): the next start boots. */
  forget(): void {
    saveWarmRecord(this.#options.storage, undefined);
    this.store.setState({ next: { kind: 'boots' } });
  }

  /** Watches a machine that is on, and keeps its snapshot. Returns how to stop. */
  watch(
    vm: Vm,
    serial: SerialLog,
    board: LiveBoard,
    argv: readonly string[],
    plan: WarmPlan = BOOT,
  ): () => void {
    this.#stop();
    const kept = new KeptOutput();
    const quiet = new Quiet();
    const decoder = new TextDecoder();
    let over = false;
    let busy = false;
    const offs = [
      serial.onData((data) => {
        const text = decoder.decode(data, { stream: true });
        kept.add(text);
        quiet.wrote(text);
      }),
      serial.onInput(() => quiet.typed()),
      vm.onEvent(({ event }) => {
        if (event === 'RESET') quiet.restart();
      }),
    ];
    if (plan.savedAt === undefined) {
      const why = plan.why;
      this.store.setState({ next: why === undefined ? { kind: 'boots' } : { kind: 'boots', why } });
    } else {
      quiet.resumed(plan.output);
      this.store.setState({ next: { kind: 'resumes', savedAt: plan.savedAt, pauseMs: 0 } });
    }
    let lookedNs = 0;
    if (!argv.some((arg) => OWN_START.has(arg)))
      offs.push(
        // Nothing of the page depends on it: it goes on where nobody sees the page.
        board.onFrame(({ now }) => {
          if (over || busy || now.timeNs - lookedNs < LOOK_NS) return;
          lookedNs = now.timeNs;
          quiet.look(now);
          if (!quiet.wantsSaving || !this.#options.enabled()) return;
          busy = true;
          const mark = quiet.mark();
          void this.#save(vm, argv, kept, () => !over && quiet.holds(mark)).then((done) => {
            busy = false;
            if (done) quiet.saved(mark);
          });
        }),
      );
    const stop = (): void => {
      over = true;
      for (const off of offs.splice(0)) off();
    };
    this.#stop = stop;
    return stop;
  }

  /** True: there need be no other try until something changes. */
  async #save(vm: Vm, argv: readonly string[], kept: KeptOutput, holds: () => boolean): Promise<boolean> {
    const { storage, now } = this.#options;
    const before = this.store.getState().next;
    const tag = `${TAG}${now().toString(36)}`;
    const room = await this.#options.room();
    if (room !== undefined && room < LEAST_ROOM) {
      this.#boots(
        `this site may store only ${bytes(room)} more, and a snapshot takes about ${bytes(LEAST_ROOM)}`,
      );
      return true;
    }
    this.store.setState({ next: { kind: 'saving' } });
    const pause = new PauseWatch(vm);
    const bootFiles = await this.#bootFiles(argv);
    const output = kept.text;
    const refusal = (await vm.hmp(`savevm -u ${tag}`)).trim();
    const pauseMs = pause.end();
    if (refusal !== '') {
      this.#boots(refusal.replace(/^Error: /, ''));
      return true;
    }
    if (!holds()) {
      // Somebody typed meanwhile: the snapshot is good, but what its terminal shows is not known.
      await vm.hmp(`delvm ${tag}`);
      this.store.setState({ next: before });
      return false;
    }
    const savedAt = now();
    const record: WarmRecord = { version: 1, commandLine: argv.join('\n'), bootFiles, tag, savedAt, output };
    if (!saveWarmRecord(storage, record)) {
      await vm.hmp(`delvm ${tag}`);
      this.#boots('this browser keeps no settings of this site');
      return true;
    }
    this.store.setState({ next: { kind: 'resumes', savedAt, pauseMs } });
    await this.#deleteOthers(vm, tag);
    return true;
  }

  #boots(why: string): void {
    this.store.setState({ next: { kind: 'boots', why } });
  }

  /** Those before it, and those a visit that ended in the middle has left. */
  async #deleteOthers(vm: Vm, tag: string): Promise<void> {
    const list = await vm.hmp('info snapshots');
    for (const [name] of list.matchAll(/(?<=^|\s)warm-[0-9a-z]+(?=\s)/gm))
      if (name !== tag) await vm.hmp(`delvm ${name}`);
  }

  async #bootFiles(argv: readonly string[]): Promise<Record<string, string>> {
    const states: Record<string, string> = {};
    for (const name of this.#options.bootFiles(argv))
      states[name] = (await this.#options.fileState(name)) ?? 'none';
    return states;
  }
}

/** How long the guest stood, by the machine's own events. */
class PauseWatch {
  #stopped = Number.NaN;
  #ms = 0;
  readonly #off: () => void;

  constructor(vm: Vm) {
    this.#off = vm.onEvent(({ event, timestamp }) => {
      const ms = timestamp.seconds * 1000 + timestamp.microseconds / 1000;
      if (event === 'STOP') this.#stopped = ms;
      else if (event === 'RESUME') this.#ms = ms - this.#stopped;
    });
  }

  /** Milliseconds; NaN if it did not stand. */
  end(): number {
    this.#off();
    return this.#ms;
  }
}
