import { type Result, ok, userError } from '../base/result.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import type { LoopStep } from './queue-plan.ts';

/** Why a hold began or ended; QMP events carry it. */
export type HoldReason = 'command' | 'breakpoint' | 'step' | 'reset' | 'quit' | 'move';

/**
 * Which contexts are held: they dispatch nothing until released, while the rest of the machine runs. Whatever has to
 * wait for a context's requests (a move, a snapshot, a reset) either is refused while it is held or releases it first.
 * Main context.
 */
export class Holds {
  readonly #contexts: ContextDirectory;
  readonly #changed: (id: string, held: boolean, reason: HoldReason) => void;
  /** Work under way that waits for contexts to dispatch, by context. */
  readonly #needed = new Map<ContextEntry, Set<Promise<unknown>>>();

  /** @param changed told when a hold begins or ends */
  constructor(contexts: ContextDirectory, changed: (id: string, held: boolean, reason: HoldReason) => void) {
    this.#contexts = contexts;
    this.#changed = changed;
  }

  /** The context of that id if it can be held. */
  find(id: string): Result<ContextEntry> {
    const entry = this.#contexts.get(id);
    if (entry === undefined) return userError(`there is no context '${id}'`, { class: 'DeviceNotFound' });
    if (id === 'main') {
      return userError("'main' can't be held: the monitor and every device's control plane run there", {
        hint: 'Move the device to a context with a thread of its own, and hold that; or stop the machine.',
      });
    }
    if (!entry.threaded) {
      return userError(`'${id}' can't be held: it has no thread of its own, the main loop iterates it`, {
        hint: 'Create it with threaded=yes.',
      });
    }
    return ok(entry);
  }

  /** Resolves when the context dispatches nothing any more: after the iteration in progress. */
  async hold(id: string): Promise<Result<void>> {
    const found = this.find(id);
    if (!found.ok) return found;
    // A guest that resets its device waits for this context: first that is over.
    for (let work = this.#needed.get(found.value); work?.size; ) await Promise.allSettled(work);
    if (this.#contexts.isHeld(found.value)) return ok(undefined);
    await found.value.service.hold();
    this.#changed(id, true, 'command');
    return ok(undefined);
  }

  release(id: string, reason: HoldReason = 'command'): Result<void> {
    const found = this.find(id);
    if (!found.ok) return found;
    this.#letGo(found.value, reason);
    return ok(undefined);
  }

  #letGo(entry: ContextEntry, reason: HoldReason): void {
    if (!this.#contexts.isHeld(entry)) return;
    this.#contexts.letGo(entry);
    this.#changed(entry.id, false, reason);
  }

  /** Dispatches at most `limit` callbacks of one iteration of a held context. */
  async step(id: string, limit: number): Promise<Result<LoopStep>> {
    const found = this.heldContext(id);
    return found.ok ? ok(await found.value.service.step(limit)) : found;
  }

  /** The context of that id if it is held. */
  heldContext(id: string): Result<ContextEntry> {
    const found = this.find(id);
    return !found.ok || this.#contexts.isHeld(found.value) ? found : notHeld(id);
  }

  /** Does work under way wait for it to dispatch? */
  isNeeded(entry: ContextEntry): boolean {
    return (this.#needed.get(entry)?.size ?? 0) > 0;
  }

  /** An error that names the first held context of those that `what` has to wait for. */
  refusal(what: string, contexts: Iterable<ContextEntry>): Result<void> {
    for (const entry of contexts) {
      if (!this.#contexts.isHeld(entry)) continue;
      return userError(`${what}: ${entry.id} is held and can't finish what it has taken`, {
        hint: `Release it first: x-context-hold ${entry.id} off`,
      });
    }
    return ok(undefined);
  }

  /** Runs what has to wait for contexts and cannot be refused: they are released, and not held until it is over. */
  async needing<T>(reason: HoldReason, contexts: Iterable<ContextEntry>, work: () => Promise<T>): Promise<T> {
    const needed = [...contexts];
    for (const entry of needed) this.#letGo(entry, reason);
    const working = work();
    for (const entry of needed) {
      const all = this.#needed.get(entry) ?? new Set();
      this.#needed.set(entry, all.add(working));
    }
    try {
      return await working;
    } finally {
      for (const entry of needed) this.#needed.get(entry)?.delete(working);
    }
  }

  /** Lets all contexts go on, for the end of the machine. */
  releaseAll(reason: HoldReason): void {
    for (const entry of this.#contexts.all()) this.#letGo(entry, reason);
  }
}

const notHeld = (id: string): Result<never> =>
  userError(`${id} is not held`, { hint: `Hold it first: x-context-hold ${id} on` });
