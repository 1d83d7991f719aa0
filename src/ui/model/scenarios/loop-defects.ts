import { setOption } from '../command-line-edits.ts';
import { withDeviceOption } from '../argv.ts';
import { count } from '../format.ts';
import type { ContextRecords } from '../trace/context-records.ts';
import { randomReads } from './loads.ts';
import { endStep, grown, perSecond, plural, promptStep, secondsSince } from './measure.ts';
import type { Look, Scenario } from './scenario.ts';

const DISK = 'disk0';
/** How long records are counted, s. */
const COUNTED_SECONDS = 3;

const recordsOf = (look: Look, fact: string): readonly ContextRecords[] | undefined => {
  const found = look.facts.get(fact);
  return typeof found === 'object' && 'records' in found ? found.records : undefined;
};
const NO_RECORDS =
  'The trace kept no dispatch: the view is frozen, or source_dispatch_begin is off. Switch it on and begin anew.';

/** How often each queue's handler ran, beside the signals its notifier got. */
function runsInWords(look: Look): string | undefined {
  const { now } = look.frame;
  const handler = (board: typeof now, queue: number) =>
    board.contexts
      .flatMap(({ sources }) => sources)
      .find(({ name }) => name === `virtio${look.disk.slot}/vq${queue}`);
  // While the disk is drained for a moment, as for a snapshot, its queues have no handlers.
  if (look.disk.queues.some(({ index }) => handler(now, index) === undefined)) return undefined;
  const each = look.disk.queues.map((queue, i) => {
    // Both from what the loop says of itself at one moment: the kicks beside them are of another.
    const [before, after] = [handler(look.since, queue.index), handler(now, queue.index)];
    const ran = (after?.dispatches ?? 0) - (before?.dispatches ?? 0);
    const signals = (after?.signals ?? 0) - (before?.signals ?? 0);
    const kicks = grown(look, (one) => one.kicks, [queue.index]);
    const more = ran > signals ? ', more often than it was signalled' : '';
    return `of queue ${queue.index}${i === 0 ? ' ran' : ''} ${plural(ran, 'time')} for ${plural(signals, 'signal')} (${plural(kicks, 'kick')})${more}`;
  });
  return `The handler ${each.join('; ')}.`;
}

/** Who wrote the dispatches of each context. */
function ownersInWords(look: Look, records: readonly ContextRecords[]): string {
  const name = (context: number): string =>
    look.frame.now.contexts.find(({ index }) => index === context)?.id ?? `context ${context}`;
  const own = records.filter((one) => one.own > 0).map((one) => `${count(one.own)} of ${name(one.context)}`);
  if (own.length === 0) return NO_RECORDS;
  const foreign = records.reduce((sum, one) => sum + one.foreign, 0);
  return `Dispatches by the context’s own thread: ${own.join(', ')}; by another thread: ${count(foreign)}.`;
}

/** What a change did to the sources of the contexts it was in. */
function changeInWords(look: Look, records: readonly ContextRecords[]): string {
  const { from } = look.place;
  const source = (board: Look['since']) =>
    board.contexts.find(({ id }) => id === from)?.sources.find(({ name }) => name === `${from}/aio`);
  const [before, after] = [source(look.since), source(look.frame.now)];
  if (before === undefined || after === undefined) return `${from} has no AioContext any more.`;
  const detached = records.reduce((sum, one) => sum + one.detached, 0);
  const attached = records.reduce((sum, one) => sum + one.attached, 0);
  const same = before.id === after.id ? 'the same source as before' : 'another source than before';
  const still = look.disk.queues.filter(
    ({ index }) => perSecond(look, (queue) => queue.completions, [index]) === 0,
  );
  const served =
    still.length === 0
      ? 'both queues are served'
      : `queue ${still.map(({ index }) => index).join(' and ')} stands still`;
  return (
    `${from}/aio is ${same}, dispatched ${plural(after.dispatches - before.dispatches, 'time')} meanwhile; ` +
    `sources detached: ${count(detached)}, attached: ${count(attached)}; ${served}.`
  );
}

/**
 * The defects of the proposal that are about the loop itself, on the machine: who dispatches a context (D3), what makes a
 * handler run (D5), what a change does to a source that is attached (D6).
 */
export const LOOP_DEFECTS: Scenario = {
  id: 'loop-defects',
  title: 'Three defects of the loop',
  question: 'D3, D5 and D6 of the proposal: who dispatches, what for, and what a change does.',
  commandLine: (standard) =>
    setOption(withDeviceOption(standard, DISK, 'num-queues', '2')?.text ?? standard, '-smp', '2'),
  steps: [
    promptStep('Booting with two harts, and a disk with two queues in one context.'),
    {
      id: 'd5',
      text: ({ from }) =>
        `D5: a read handler ran whatever happened on its fd. Two handlers share ${from}/aio; count each against the signals of its own fd:`,
      button: () => 'Read for 5 seconds',
      waiting: 'reading…',
      act: (hands, { from }) => {
        // Polling would find requests without a signal.
        const path = from === 'main' ? '/machine/main-loop' : `/objects/${from}`;
        hands.qmp('polling off', 'qom-set', { path, property: 'poll-max-ns', value: 0 });
        hands.type(randomReads(4, 5, 2));
      },
      done: (look) => {
        if (look.disk.queues.length < 2)
          return 'This disk has one queue: apply the scenario’s command line to see two.';
        const requests = grown(look, (queue) => queue.completions);
        const over = secondsSince(look) > 4 && perSecond(look, (queue) => queue.completions) === 0;
        return requests > 0 && over ? runsInWords(look) : undefined;
      },
    },
    {
      id: 'd3',
      text: () =>
        'D3: two threads could run one context. Harts kick from two threads, and each dispatch is recorded by the thread that makes it:',
      button: () => 'Read, and count who dispatches',
      waiting: 'counting…',
      act: (hands) => {
        hands.type(randomReads(8, 60, 2));
        hands.countRecords('owners', COUNTED_SECONDS);
      },
      done: (look) => {
        const records = recordsOf(look, 'owners');
        return records === undefined ? undefined : ownersInWords(look, records);
      },
    },
    {
      id: 'd6',
      text: ({ from }) =>
        `D6: a change took an attached source off its loop and put it back, and what came in between was lost. Change ${from}/aio at work, twice:`,
      button: ({ to }) => `Move queue 1 to ${to} and back`,
      waiting: 'moving…',
      act: (hands, { from, to }) => hands.moveAndBack('change', from, to, 1, COUNTED_SECONDS),
      done: (look) => {
        const { move } = look;
        if (move?.state === 'refused') return `The move was refused: ${move.refusal ?? ''}`;
        const records = recordsOf(look, 'change');
        return records === undefined ? undefined : changeInWords(look, records);
      },
    },
    endStep('docs/qcontext.md names the tests that provoke all seven in a loop by itself.'),
  ],
};
