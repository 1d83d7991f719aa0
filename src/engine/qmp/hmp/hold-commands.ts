import type { BreakpointStatus, StepReport, StoppedAt } from '../../qom/machine-ops.ts';
import { type HmpCommand, show } from './hmp-command.ts';

/** What a step did, in one sentence: "ctx0 dispatched virtio-blk kick (disk0/vq0), 38 µs". */
export function stepInWords({ id, dispatched, stopped }: StepReport): string {
  if (dispatched.length === 0) return `${id} dispatched nothing: nothing was ready`;
  const each = dispatched.map(({ name, kind, ns, device, driver, queue }) => {
    const what = device === undefined ? `${KINDS[kind]} ${name}` : `${driver} kick (${device}/vq${queue})`;
    return `${what}, ${micros(ns)}`;
  });
  const hit = stopped === undefined ? '' : `\n${id} stopped at ${stopInWords(stopped)}`;
  return `${id} dispatched ${each.join('; ')}${hit}`;
}

/** The event a loop was stopped for: "virtqueue_pop of disk0/vq0, request 12". */
function stopInWords({ event, device, queue, request }: StoppedAt): string {
  const where = device === undefined ? '' : ` of ${device}${queue === undefined ? '' : `/vq${queue}`}`;
  return `${event}${where}${request === undefined ? '' : `, request ${request}`}`;
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
    usage: 'context [dispatch|iteration|request [N]|until event [device=ID][,queue=N][,request=N]]',
    help: 'let a held event loop go on for one callback, one iteration, to the next stage of a request, or until an event',
    words: ['object-id', 'step-unit', 'trace-event', 'text'],
    required: 1,
    run: async ({ execute }, [id, unit = 'dispatch', what = '', filter = '']) => {
      if (unit === 'request') {
        const request = what === '' ? undefined : Number(what);
        return show(await execute('x-context-step', { id, unit, request }));
      }
      if (unit === 'until') {
        const wanted = filterOf(filter);
        if (wanted === undefined) return badFilter(filter);
        return show(await execute('x-context-step', { id, unit, event: what, ...wanted }));
      }
      return show(await execute('x-context-step', { id, unit }), stepInWords);
    },
  },
  {
    names: ['x-breakpoint-add'],
    usage: 'event [context=ID][,device=ID][,queue=N][,request=N]',
    help: 'hold the event loop a trace event happens in, before its next dispatch',
    words: ['trace-event', 'text'],
    required: 1,
    run: async ({ execute }, [event, filter = '']) => {
      const wanted = filterOf(filter);
      if (wanted === undefined) return badFilter(filter);
      return show(
        await execute('x-breakpoint-add', { event, ...wanted }),
        ({ id }: { readonly id: number }) => `breakpoint ${id}`,
      );
    },
  },
  {
    names: ['x-breakpoint-remove'],
    usage: 'breakpoint',
    help: 'remove a breakpoint',
    words: ['text'],
    required: 1,
    run: async ({ execute }, [id]) => show(await execute('x-breakpoint-remove', { id: Number(id) })),
  },
];

/** `info breakpoints`. */
export const breakpointsInWords = (breakpoints: readonly BreakpointStatus[]): string =>
  breakpoints
    .map(({ id, event, hits, ...filter }) => {
      const about = Object.entries(filter).filter(([, value]) => value !== undefined);
      const words = about.map(([name, value]) => ` ${name}=${String(value)}`).join('');
      return `${id}: ${event}${words}, ${hits} hits`;
    })
    .join('\n') || 'no breakpoints';

/** `device=disk0,queue=1` as arguments of a command; undefined if it is something else. */
function filterOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const filter: Record<string, unknown> = {};
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [, name = '', value = ''] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (name === 'context' || name === 'device') filter[name] = value;
    else if ((name === 'queue' || name === 'request') && /^\d+$/.test(value)) filter[name] = Number(value);
    else return undefined;
  }
  return filter;
}

const badFilter = (text: string): string =>
  `Error: invalid filter '${text}'\nIt is context=ID, device=ID, queue=N or request=N, with commas between them.`;
