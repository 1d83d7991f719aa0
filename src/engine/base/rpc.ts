import type { SharedMemory } from './shared-memory.ts';
import { CONTROL_YIELD, WakeWord, WakeWordLayout } from './wake-word.ts';

/** What a MessagePort (browser or Node) and a worker's global scope have in common. */
export interface Port {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  close?(): void;
}

/**
 * A thread's side of all its ports: a blocked thread sees no messages, so a sender also counts the message
 * in the receiver's wake word and asks it to yield, and the receiver yields until all counted have come.
 */
export class Inbox {
  readonly #mem: SharedMemory;
  readonly #wake: WakeWord;
  #received: number;

  constructor(mem: SharedMemory, wakeAddr: number) {
    this.#mem = mem;
    this.#wake = new WakeWord(mem, wakeAddr);
    this.#received = 0;
  }
  /** Owner: one message has come. */
  receive(): void {
    this.#received = (this.#received + 1) >>> 0;
  }
  /** Owner: are counted messages still under way? */
  get behind(): boolean {
    return this.#mem.load32(this.#wake.addr + WakeWordLayout.at.posted) !== this.#received;
  }
}

/** Counts a message for the thread that owns the wake word, and makes it yield. Call after posting it. */
export function wakeInbox(mem: SharedMemory, wakeAddr: number): void {
  mem.add32(wakeAddr + WakeWordLayout.at.posted, 1);
  new WakeWord(mem, wakeAddr).request(CONTROL_YIELD);
}

type Methods<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T] &
  string;
type Args<T, K extends keyof T> = T[K] extends (...args: infer A) => unknown ? A : never;
type Reply<T, K extends keyof T> = T[K] extends (...args: never[]) => infer R ? Awaited<R> : never;

/** Why a call will never be answered: the other side is gone. */
export class PeerGoneError extends Error {
  override readonly name = 'PeerGoneError';
}

interface Call {
  readonly call: number;
  readonly method: string;
  readonly args: readonly unknown[];
}
interface Answer {
  readonly answer: number;
  readonly value?: unknown;
  readonly error?: string;
}

/**
 * Calls over a port, both ways: plain structured-clone arguments, promises for answers, exceptions become
 * rejections with their message. Order is kept. When the other side is gone (`fail`), calls reject with
 * PeerGoneError.
 */
export class Rpc<Remote> {
  readonly #port: Port;
  readonly #posted: () => void;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #next = 1;
  #gone: string | undefined;

  /**
   * @param methods what the other side may call
   * @param posted runs after each message is posted (`wakeInbox` of the other thread)
   * @param received runs before each message is handled (`Inbox.receive`)
   */
  constructor(port: Port, methods: object, hooks: { posted?: () => void; received?: () => void } = {}) {
    this.#port = port;
    this.#posted = hooks.posted ?? (() => {});
    port.onmessage = (event) => {
      hooks.received?.();
      const message = event.data as Call | Answer;
      if ('call' in message)
        void this.#serve(methods as Record<string, (...args: unknown[]) => unknown>, message);
      else this.#settle(message);
    };
  }

  /** Calls a method of the other side. */
  call<K extends Methods<Remote>>(method: K, ...args: Args<Remote, K>): Promise<Reply<Remote, K>> {
    return this.callWith(method, args, []);
  }

  /** As `call`, handing over the given transferables. */
  callWith<K extends Methods<Remote>>(
    method: K,
    args: Args<Remote, K>,
    transfer: readonly unknown[],
  ): Promise<Reply<Remote, K>> {
    if (this.#gone !== undefined) return Promise.reject(new PeerGoneError(this.#gone));
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      // Throws if the arguments can't be cloned: a rejection, and nothing waits.
      this.#post({ call, method, args } satisfies Call, transfer);
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Calls without waiting: no answer, and errors are the other side's own affair. */
  send<K extends Methods<Remote>>(method: K, ...args: Args<Remote, K>): void {
    this.sendWith(method, args, []);
  }

  /** As `send`, handing over the given transferables. */
  sendWith<K extends Methods<Remote>>(method: K, args: Args<Remote, K>, transfer: readonly unknown[]): void {
    if (this.#gone === undefined) this.#post({ call: 0, method, args } satisfies Call, transfer);
  }

  /** The other side is gone: rejects what waits and every later call, and lets go of the port. */
  fail(reason: string): void {
    this.#gone ??= reason;
    for (const { reject } of this.#waiting.values()) reject(new PeerGoneError(reason));
    this.#waiting.clear();
    this.#port.onmessage = null;
    this.#port.close?.();
  }

  #post(message: Call | Answer, transfer: readonly unknown[]): void {
    if (this.#gone !== undefined) return;
    this.#port.postMessage(message, transfer);
    this.#posted();
  }

  async #serve(
    methods: Record<string, (...args: unknown[]) => unknown>,
    { call, method, args }: Call,
  ): Promise<void> {
    try {
      const target = methods[method];
      if (target === undefined) throw new Error(`no method ${method}`);
      const value = await target.apply(methods, [...args]);
      if (call !== 0) this.#post({ answer: call, value }, []);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (call !== 0) this.#post({ answer: call, error: text }, []);
      else throw error;
    }
  }

  #settle({ answer, value, error }: Answer): void {
    const waiting = this.#waiting.get(answer);
    this.#waiting.delete(answer);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }
}
