import type { StepReport } from '../../qom/machine-ops.ts';
import { type HmpCommand, show } from './hmp-command.ts';

/** What a step did, in one sentence: "ctx0 dispatched virtio-blk kick (disk0/vq0), 38 µs". */
export function stepInWords({ id, dispatched }: StepReport): string {
  if (dispatched.length === 0) return `${id} dispatched nothing: nothing was ready`;
  const each = dispatched.map(({ name, kind, ns, device, driver, queue }) => {
    const what = device === undefined ? `${KINDS[kind]} ${name}` : `${driver} kick (${device}/vq${queue})`;
    return `${what}, ${micros(ns)}`;
  });
  return `${id} dispatched ${each.join('; ')}`;
}

const KINDS = { source: 'source', fd: 'handler', bh: 'bottom half', timer: 'timer' } as const;

const micros = (ns: number): string =>
  ns >= 1e6 ? `${(ns / 1e6).toFixed(2)} ms` : ns >= 10_000 ? `${Math.round(ns / 1e3)} µs` : '<10 µs';

/** Commands that hold one event loop and step it. */
export const HOLD_HMP_COMMANDS: readonly HmpCommand[] = [
  {
    names: ['x-context-hold'],
    usage: 'context on|off',
    help: 'hold one event loop: it dispatches nothing while the machine goes on',
    words: ['object-id', 'on-off'],
    required: 2,
    run: async ({ execute }, [id, state = '']) =>
      state === 'on' || state === 'off'
        ? show(await execute('x-context-hold', { id, enable: state === 'on' }))
        : "Error: x-context-hold expects 'on' or 'off'",
  },
  {
    names: ['x-context-step'],
    usage: 'context [dispatch|iteration]',
    help: 'let a held event loop dispatch one callback, or one iteration',
    words: ['object-id', 'text'],
    required: 1,
    run: async ({ execute }, [id, unit]) => show(await execute('x-context-step', { id, unit }), stepInWords),
  },
];
