import { describe, expect, it } from 'vitest';
import type { BoardSnapshot, ContextSnapshot, QueueSnapshot } from '../../../engine/vm.ts';
import { splitArgv } from '../argv.ts';
import type { Move } from '../moves.ts';
import { scenarioById, SCENARIOS } from './catalog.ts';
import type { Fact, Look, Step } from './scenario.ts';
import { timeEcho } from './time-echo.ts';

const STANDARD = [
  '-m 256',
  '-kernel Image',
  '-object glib-qcontext,id=ctx0,threaded=yes',
  '-object glib-qcontext,id=ctx1,threaded=yes',
  '-drive if=none,id=drive0,file=root.ext4,format=raw',
  '-device virtio-blk,id=disk0,drive=drive0,scsi=off,x-data-plane=on,context=ctx0',
].join('\n');

const DISK = '/machine/peripheral/disk0';

/** A board after `seconds` with so many requests per queue; queue `i` in `contexts[i]`. */
function board(
  seconds: number,
  requests: readonly number[],
  more: Partial<QueueSnapshot> = {},
): BoardSnapshot {
  const context = (index: number, id: string): ContextSnapshot => ({
    index,
    id,
    qomPath: `/objects/${id}`,
    threaded: index > 0,
    worker: `context-${index}`,
    state: 'blocked',
    nextTimerNs: undefined,
    busyNs: seconds * 1e9 * 0.25,
    pollingNs: 0,
    blockedNs: 0,
    heldNs: 0,
    iterations: 0,
    wakes: 0,
    sources: [],
  });
  return {
    timeNs: seconds * 1e9,
    runState: 'running',
    contexts: [context(0, 'main'), context(1, 'ctx0'), context(2, 'ctx1')],
    devices: [
      {
        id: 'disk0',
        qomPath: DISK,
        type: 'virtio-blk-device',
        slot: 7,
        status: 15,
        movable: true,
        moving: false,
        detail: {},
        queues: requests.map((n, index) => ({
          index,
          name: `requestq${index}`,
          size: 256,
          ready: true,
          packed: false,
          desc: 0,
          driver: 0,
          device: 0,
          lastAvail: 0,
          usedIdx: 0,
          inFlight: 0,
          waiting: 0,
          context: 1,
          configuredContext: 1,
          kicks: n / 4,
          requests: n,
          bytesRead: 0,
          bytesWritten: 0,
          completions: n,
          interrupts: n / 2,
          interruptsSuppressed: n / 2,
          errors: 0,
          latency: { n: 0, p50: undefined, p99: undefined },
          ...more,
        })),
      },
    ],
    harts: [],
  };
}

function look(since: BoardSnapshot, now: BoardSnapshot, more: Partial<Look> = {}): Look {
  const disk = now.devices[0];
  if (disk === undefined) throw new Error('no disk');
  return {
    frame: { now, before: since, seconds: (now.timeNs - since.timeNs) / 1e9 },
    since,
    disk,
    move: undefined,
    atPrompt: false,
    place: { from: 'ctx0', to: 'ctx1' },
    facts: new Map<string, Fact>(),
    ...more,
  };
}

function step(scenario: string, id: string): Required<Pick<Step, 'done'>> & Step {
  const found = scenarioById(scenario)?.steps.find((one) => one.id === id);
  if (found?.done === undefined) throw new Error(`no step ${scenario}/${id} with an end`);
  return { ...found, done: found.done };
}

describe('scenarios', () => {
  it('have ids and steps of their own, begin at the prompt and end without a condition', () => {
    expect(new Set(SCENARIOS.map(({ id }) => id)).size).toBe(SCENARIOS.length);
    for (const { steps } of SCENARIOS) {
      expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
      expect(steps[0]?.done?.(look(board(0, [0]), board(1, [0]), { atPrompt: true }))).toBe('');
      expect(steps[0]?.done?.(look(board(0, [0]), board(1, [0])))).toBeUndefined();
      expect(steps.at(-1)?.done).toBeUndefined();
    }
  });

  it('make their command line from the page’s own, and leave the rest of it alone', () => {
    for (const { id, commandLine } of SCENARIOS) {
      const line = commandLine?.(STANDARD) ?? STANDARD;
      expect(splitArgv(line).ok, id).toBe(true);
      expect(line).toContain('-kernel Image');
    }
    expect(scenarioById('typing')?.commandLine?.(STANDARD)).toContain('x-data-plane=on,context=main');
    const two = scenarioById('two-queues')?.commandLine?.(STANDARD);
    expect(two).toContain('num-queues=2');
    expect(two).toContain('-smp 2');
    // A person's own command line without that disk is not broken.
    expect(scenarioById('typing')?.commandLine?.('-m 64')).toBe('-m 64');
  });

  it('no step with a button is done by a machine in which nothing happened', () => {
    for (const { id, steps } of SCENARIOS)
      for (const one of steps)
        if (one.act !== undefined)
          expect(
            one.done?.(look(board(5, [700, 700]), board(65, [700, 700]))),
            `${id}/${one.id}`,
          ).toBeUndefined();
  });

  it('say what was counted since the button was pressed', () => {
    const read = step('first-steps', 'read').done(look(board(1, [100]), board(2, [104])));
    expect(read).toBe('4 requests crossed the ring: 1 kick, 2 interrupts.');
    const kicks = step('kicks', 'one-by-one').done(look(board(1, [0]), board(2, [400])));
    expect(kicks).toContain('400 requests took 100 kicks and 200 interrupts; 200 more were suppressed');
    const queues = step('two-queues', 'load').done(look(board(0, [0, 0]), board(10, [3000, 1000])));
    expect(queues).toContain('queue 0: 300/s, queue 1: 100/s; all of it on ctx0, busy 25 %');
  });

  it('a move is told by its own report, or its refusal', () => {
    const move: Move = {
      id: 1,
      qomPath: DISK,
      device: 'disk0',
      queue: undefined,
      from: 'ctx0',
      to: 'main',
      state: 'done',
      inFlight: 7,
      report: { device: 'disk0', queue: undefined, from: 'ctx0', to: 'main', inFlight: 7, downtimeNs: 1.5e6 },
      refusal: undefined,
      argvBefore: undefined,
      argvAfter: undefined,
      qmp: '',
      before: undefined,
      after: undefined,
    };
    const drained = step('drained', 'move');
    expect(drained.done(look(board(1, [0]), board(5, [900]), { move }))).toMatch(
      /^7 requests in flight were waited for, 1\.50 ms without service, 900 requests completed since\.$/,
    );
    const refused = { ...move, state: 'refused' as const, report: undefined, refusal: 'no such context' };
    expect(drained.done(look(board(1, [0]), board(5, [0]), { move: refused }))).toContain('no such context');
    expect(step('defects', 'd4').done(look(board(1, [0]), board(2, [0]), { move: refused }))).toContain(
      'no such context',
    );
  });

  it('typing is told by what was measured', () => {
    const facts = new Map<string, Fact>([['quiet', [2e6, 1e6, 9e6]]]);
    expect(step('typing', 'quiet').done(look(board(1, [0]), board(2, [0]), { facts }))).toMatch(
      /2.*ms in the median, 9.*ms at most \(n 3\)/,
    );
  });
});

describe('timing an echo', () => {
  it('counts from the letter to its return, not what stood in the log before, and leaves out what never comes', async () => {
    let now = 0;
    const listeners = new Set<(bytes: Uint8Array) => void>();
    const written: string[] = [];
    const serial = {
      write: (data: string | Uint8Array): void => {
        written.push(String(data));
        if (data !== 'a' && data !== 'b') return;
        setTimeout(() => {
          now += data === 'a' ? 3 : 5;
          for (const hear of listeners) hear(new TextEncoder().encode(data));
        }, 0);
      },
      onData: (listener: (bytes: Uint8Array) => void): (() => void) => {
        listener(new TextEncoder().encode('all letters: abc'));
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    expect(await timeEcho(serial, 'abc', () => now, 0, 20)).toEqual([3e6, 5e6]);
    expect(written).toEqual(['a', 'b', 'c', '\u0015']);
    expect(listeners.size).toBe(0);
  });
});
