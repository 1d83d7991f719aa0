import type { Playground } from '../model/playground.ts';
import { errorInWords } from '../model/problem.ts';
import type { Vm } from '../../engine/vm.ts';

/** `window.playground`: the page for scripts. What a person can do, with the same effect. */
export interface PlaygroundApi {
  /**
   * Power on with this command line, or the one in the editor; resolves when the machine is on (or refused). It boots,
   * and no snapshot is kept of it for the next visit: nothing happens that the script has not asked for.
   */
  start(commandLine?: string): Promise<void>;
  /** Cut the power; resolves when every thread has ended and every disk is closed. */
  stop(): Promise<void>;
  /**
   * One QMP command; resolves with its `return`, rejects with its error: an Error with `class`, `desc` and, where there is
   * something to say, `hint` (what is possible), which its message ends with.
   */
  qmp(execute: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** One HMP line; resolves with what the monitor prints. */
  hmp(line: string): Promise<string>;
  readonly serial: {
    /** Bytes to the guest, as if typed. */
    send(text: string): void;
    /**
     * Resolves with the output up to and with the first match in what arrived since the last `expect`;
     * rejects after `timeoutMs` (default 30 000).
     */
    expect(pattern: string | RegExp, timeoutMs?: number): Promise<string>;
    /** All output of this machine so far. */
    readonly text: string;
  };
  /** Moves a device, by id or QOM path, to a context; the same path as dragging it. */
  move(device: string, context: string): Promise<void>;
  /** Holds a context (it dispatches nothing while the machine runs), or lets it go on. */
  hold(context: string, on: boolean): Promise<void>;
  /**
   * Lets a held context make one dispatch or one iteration, or go on to the next stage of the request it was stopped
   * for; resolves with the sentence the page says.
   */
  step(context: string, unit?: 'dispatch' | 'iteration' | 'request'): Promise<string>;
  /** Trace events written and lost so far, over all threads. */
  trace(): { readonly written: number; readonly lost: number };
  /** The live picture of contexts and devices; undefined while no machine is on. */
  board(): ReturnType<Vm['board']> | undefined;
}

declare global {
  interface Window {
    playground?: PlaygroundApi;
  }
}

/** Output kept for `expect` and `text`, in characters; older output is dropped. */
const KEEP = 1 << 20;

/** Puts the automation API on `window`. */
export function installPlaygroundApi({ controller, holds, moves }: Playground): PlaygroundApi {
  let output = '';
  let from = 0;
  const waiting = new Set<() => void>();
  controller.onVm((_vm, serial) => {
    output = '';
    from = 0;
    const decoder = new TextDecoder();
    return serial.onData((bytes) => {
      output += decoder.decode(bytes, { stream: true });
      if (output.length > 2 * KEEP) {
        const dropped = output.length - KEEP;
        output = output.slice(dropped);
        from = Math.max(0, from - dropped);
      }
      for (const check of waiting) check();
    });
  });
  const machine = (): Vm => {
    if (controller.vm === undefined) throw new Error('no machine is on');
    return controller.vm;
  };
  const match = (pattern: string | RegExp): string | undefined => {
    const rest = output.slice(from);
    const found = typeof pattern === 'string' ? rest.indexOf(pattern) : rest.search(pattern);
    if (found < 0) return undefined;
    const length = typeof pattern === 'string' ? pattern.length : (pattern.exec(rest)?.[0].length ?? 0);
    from += found + length;
    return rest.slice(0, found + length);
  };
  const api: PlaygroundApi = {
    start: (commandLine) => {
      if (commandLine !== undefined) controller.setCommandLine(commandLine);
      return controller.powerOn({ keep: false });
    },
    stop: () => controller.powerOff(),
    qmp: async (execute, args) => {
      const reply = await machine().qmp(execute, args);
      if (!reply.ok) throw Object.assign(new Error(errorInWords(reply.error)), reply.error);
      return reply.value;
    },
    hmp: (line) => machine().hmp(line),
    serial: {
      send: (text) => machine().serial.write(text),
      expect: (pattern, timeoutMs = 30_000) =>
        new Promise((resolve, reject) => {
          const check = (): void => {
            const text = match(pattern);
            if (text === undefined) return;
            stop();
            resolve(text);
          };
          const timer = setTimeout(() => {
            stop();
            reject(
              new Error(
                `serial: no ${String(pattern)} within ${timeoutMs} ms; the output ends: ${output.slice(-300)}`,
              ),
            );
          }, timeoutMs);
          const stop = (): void => {
            clearTimeout(timer);
            waiting.delete(check);
          };
          waiting.add(check);
          check();
        }),
      get text() {
        return output;
      },
    },
    move: (device, context) => {
      const found = controller.board
        .frame()
        ?.now.devices.find((d) => d.id === device || d.qomPath === device);
      if (found === undefined) return Promise.reject(new Error(`there is no device ${device}`));
      return moves.move(found.qomPath, context);
    },
    hold: (context, on) => holds.hold(context, on),
    step: async (context, unit = 'dispatch') => {
      await holds.step(context, unit);
      return holds.store.getState().said.get(context) ?? '';
    },
    trace: () => machine().trace.counts(),
    board: () => controller.vm?.board(),
  };
  window.playground = api;
  return api;
}
