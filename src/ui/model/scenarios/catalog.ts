import { withContext, withDeviceOption } from '../argv.ts';
import { setOption } from '../command-line-edits.ts';
import { count, duration } from '../format.ts';
import { oneByOne, randomReads, READ_ONE } from './loads.ts';
import {
  COMPARE_SECONDS,
  endStep,
  grown,
  loadStep,
  LOADED,
  moveStep,
  percentOf,
  perSecond,
  plural,
  promptStep,
  secondsSince,
  sharesSince,
  typingInWords,
} from './measure.ts';
import { LOOP_DEFECTS } from './loop-defects.ts';
import type { Scenario, Step } from './scenario.ts';

/** The first disk of the page's default machine. */
const DISK = 'disk0';

const onMain = (standard: string): string => withContext(standard, DISK, 'main')?.text ?? standard;

const FIRST_STEPS: Scenario = {
  id: 'first-steps',
  title: 'First steps',
  question: 'One request, a load, a move: the first minute.',
  steps: [
    promptStep('A Linux guest is booting below, its disk served by an event loop of its own.'),
    {
      id: 'read',
      text: ({ from }) => `The disk is served by context ${from}. Watch one request cross the board:`,
      button: () => 'Read one block',
      waiting: 'dd is reading…',
      act: (hands) => hands.type(READ_ONE),
      done: (look) => {
        const requests = grown(look, (queue) => queue.completions);
        if (requests <= 0) return undefined;
        const kicks = grown(look, (queue) => queue.kicks);
        const interrupts = grown(look, (queue) => queue.interrupts);
        return `${plural(requests, 'request')} crossed the ring: ${plural(kicks, 'kick')}, ${plural(interrupts, 'interrupt')}.`;
      },
    },
    loadStep('Now many:', 8, 1, 60),
    moveStep(({ from }) =>
      from === 'main'
        ? 'Give the disk a thread of its own:'
        : 'What if it shared the main loop? Drag the card, or:',
    ),
    endStep('Try a scenario, edit the command line, share the link: everything here is the machine itself.'),
  ],
};

/** Letters typed and how long each took to come back. */
function typingStep(id: string, text: string): Step {
  return {
    id,
    text: () => text,
    button: () => 'Type 20 letters',
    waiting: 'typing…',
    act: (hands) => hands.timeTyping(id),
    done: ({ facts }) => {
      const times = facts.get(id);
      return Array.isArray(times)
        ? `A letter’s echo took ${typingInWords(times as readonly number[])}.`
        : undefined;
    },
  };
}

const TYPING: Scenario = {
  id: 'typing',
  title: 'Will typing lag?',
  question: 'The disk on the main loop, where the keyboard is served too; then on a thread of its own.',
  commandLine: onMain,
  steps: [
    promptStep('Booting with the disk on the main loop, which also serves the terminal.'),
    typingStep('quiet', 'First the quiet guest: each letter goes to the guest and comes back as its echo.'),
    loadStep('Now the disk has to work, on the same loop:'),
    typingStep('shared', 'Type again, with the disk and the terminal on one loop:'),
    moveStep(({ to }) => `And with the disk on ${to}?`),
    typingStep('apart', 'The same load, the terminal’s loop free of it:'),
    endStep(
      'Those are this browser’s figures, whatever they say: the guest’s one hart is busy with the load as well.',
    ),
  ],
};

const TWO_QUEUES: Scenario = {
  id: 'two-queues',
  title: 'Two queues, one thread',
  question: 'num-queues=2 alone does not use two contexts.',
  commandLine: (standard) =>
    setOption(withDeviceOption(standard, DISK, 'num-queues', '2')?.text ?? standard, '-smp', '2'),
  steps: [
    promptStep('Booting with two harts and a disk with num-queues=2: a virtqueue for each hart.'),
    {
      ...loadStep('Two jobs, so that both harts make requests:', 8, 2),
      done: (look) => {
        const rates = look.disk.queues.map(({ index }) =>
          perSecond(look, (queue) => queue.completions, [index]),
        );
        if (rates.length < 2) return 'This disk has one queue: apply the scenario’s command line to see two.';
        if (secondsSince(look) < 4 || rates.reduce((sum, rate) => sum + rate, 0) < LOADED) return undefined;
        const { busy } = sharesSince(look, look.place.from);
        const each = rates.map((rate, i) => `queue ${i}: ${count(rate)}/s`).join(', ');
        return `${each}; all of it on ${look.place.from}, busy ${percentOf(busy)} of the time.`;
      },
    },
    {
      id: 'spread',
      text: ({ to }) => `The queues share a context until one is moved. Give the second one to ${to}:`,
      button: ({ to }) => `Move queue 1 to ${to}`,
      waiting: 'measuring…',
      act: (hands, { to }) => hands.move(to, 1),
      done: (look) => {
        const { move, place } = look;
        if (move?.state === 'refused') return `The move was refused: ${move.refusal ?? ''}`;
        if (move?.state !== 'done' || secondsSince(look) < COMPARE_SECONDS) return undefined;
        const [first, second] = [sharesSince(look, place.from), sharesSince(look, place.to)];
        const total = perSecond(look, (queue) => queue.completions);
        return `${place.from} is busy ${percentOf(first.busy)}, ${place.to} ${percentOf(second.busy)}; ${count(total)} requests a second together.`;
      },
    },
    endStep('iothread-vq-mapping on the command line does the same from the start.'),
  ],
};

const KICKS: Scenario = {
  id: 'kicks',
  title: 'The kick that is not given',
  question: 'When the driver need not notify, and the device need not interrupt.',
  steps: [
    promptStep('Waiting for the shell.'),
    {
      id: 'one-by-one',
      text: () => '400 reads, each after the one before. The ring shows available and used indexes as hands:',
      button: () => 'Read one by one',
      waiting: 'dd is reading…',
      show: 'ring',
      act: (hands) => hands.type(oneByOne(400)),
      done: (look) => ringInWords(look, 400),
    },
    {
      id: 'many',
      text: () => 'Now 32 under way at once:',
      button: () => 'Read many at once',
      waiting: 'fio is reading…',
      show: 'ring',
      act: (hands) => hands.type(randomReads(32, 5)),
      done: (look) => (secondsSince(look) < 6 ? undefined : ringInWords(look, 1000)),
    },
    endStep(
      'Who is awake need not be woken: EVENT_IDX lets each side say from which index on it wants to be told. The Ring tab shows the arithmetic.',
    ),
  ],
};

function ringInWords(look: Parameters<NonNullable<Step['done']>>[0], least: number): string | undefined {
  const requests = grown(look, (queue) => queue.completions);
  if (requests < least) return undefined;
  const kicks = grown(look, (queue) => queue.kicks);
  const interrupts = grown(look, (queue) => queue.interrupts);
  const suppressed = grown(look, (queue) => queue.interruptsSuppressed);
  return (
    `${count(requests)} requests took ${plural(kicks, 'kick')} and ${plural(interrupts, 'interrupt')}` +
    `${suppressed > 0 ? `; ${count(suppressed)} more were suppressed` : ''}.`
  );
}

const DRAINED: Scenario = {
  id: 'drained',
  title: 'A drained section',
  question: 'What a move waits for, and what it may not lose.',
  steps: [
    promptStep('Waiting for the shell.'),
    loadStep('Requests have to be under way when the disk moves:', 32),
    {
      id: 'move',
      text: ({ to }) => `Move it to ${to} in the middle of that. New requests wait in the ring meanwhile:`,
      button: ({ to }) => `Move the disk to ${to}`,
      waiting: 'draining…',
      act: (hands, { to }) => hands.move(to),
      done: (look) => {
        const { move } = look;
        if (move?.state === 'refused') return `The move was refused: ${move.refusal ?? ''}`;
        if (move?.report === undefined || secondsSince(look) < 3) return undefined;
        const { inFlight, downtimeNs } = move.report;
        const since = grown(look, (queue) => queue.completions);
        return (
          `${plural(inFlight, 'request')} in flight ${inFlight === 1 ? 'was' : 'were'} waited for, ` +
          `${duration(downtimeNs)} without service, ${count(since)} requests completed since.`
        );
      },
    },
    endStep(
      'Search the timeline for “drain_” to see its steps: begin, detach, poll, agree, commit, end, and the kick it gives itself.',
    ),
  ],
};

const POLLING: Scenario = {
  id: 'polling',
  title: 'poll-max-ns',
  question: 'A loop that looks again before it sleeps: what it saves, what it costs.',
  steps: [
    promptStep('Waiting for the shell.'),
    pollStep('off', 'Polling off: the loop sleeps as soon as nothing is ready.', '0'),
    pollStep('on', 'Now it may look for up to 200 µs before it sleeps:', '200000'),
    endStep(
      'While it polls, kicks are suppressed: the guest leaves out the exit, the loop pays with its core. On a machine with fewer cores than loops it does not poll at all.',
    ),
  ],
};

function pollStep(id: string, text: string, ns: string): Step {
  return {
    id,
    text: () => text,
    button: () => `poll-max-ns=${ns}, then read`,
    waiting: 'measuring for 5 seconds…',
    act: (hands, { from }) => {
      const path = from === 'main' ? '/machine/main-loop' : `/objects/${from}`;
      hands.qmp(`${id} set`, 'qom-set', { path, property: 'poll-max-ns', value: Number(ns) });
      hands.type(randomReads(1, 5));
    },
    done: (look) => {
      const error = look.facts.get(`${id} set error`);
      if (typeof error === 'string') return `poll-max-ns could not be set: ${error}`;
      if (secondsSince(look) < 6) return undefined;
      const requests = grown(look, (queue) => queue.completions);
      const kicks = grown(look, (queue) => queue.kicks);
      const { busy, polling } = sharesSince(look, look.place.from);
      return requests === 0
        ? undefined
        : `${count(requests)} requests, ${count(kicks)} kicks; ${look.place.from} dispatched ${percentOf(busy)} and polled ${percentOf(polling)} of the time.`;
    },
  };
}

const DEFECTS: Scenario = {
  id: 'defects',
  title: 'The proposal’s seven defects',
  question: 'What the published code would have done, and what happens here.',
  steps: [
    promptStep('Waiting for the shell.'),
    {
      id: 'd1',
      text: () =>
        'D1: what prepare found ready went to dispatch without check, and nothing ran. Read a block here:',
      button: () => 'Read one block',
      waiting: 'dd is reading…',
      act: (hands) => hands.type(READ_ONE),
      done: (look) => {
        const sources = look.frame.now.contexts.find(({ id }) => id === look.place.from)?.sources ?? [];
        const before = look.since.contexts.find(({ id }) => id === look.place.from)?.sources ?? [];
        const ran =
          sources.reduce((sum, one) => sum + one.dispatches, 0) -
          before.reduce((sum, one) => sum + one.dispatches, 0);
        const requests = grown(look, (queue) => queue.completions);
        if (requests === 0 || ran === 0) return undefined;
        return `Sources dispatched on ${look.place.from}: ${count(ran)}; ${plural(requests, 'request')} answered.`;
      },
    },
    {
      id: 'd4',
      text: () => 'D4: a look-up that failed was dereferenced. Ask for a context there is not:',
      button: () => 'Move the disk to “nowhere”',
      waiting: 'asking…',
      act: (hands) => hands.move('nowhere'),
      done: ({ move }) =>
        move?.state === 'refused' ? `Refused, and the machine runs on: ${move.refusal ?? ''}` : undefined,
    },
    loadStep('D2 and D7 need a disk at work:', 32),
    {
      id: 'd7',
      text: ({ to }) =>
        `D7: stopping a data plane left requests in flight behind; D2: a detach could destroy another’s source. Move it to ${to}:`,
      button: ({ to }) => `Move the disk to ${to}`,
      waiting: 'draining…',
      act: (hands, { to }) => hands.move(to),
      done: (look) => {
        const { move } = look;
        if (move?.state === 'refused') return `The move was refused: ${move.refusal ?? ''}`;
        if (move?.report === undefined || secondsSince(look) < 3) return undefined;
        const names = (board: typeof look.since, id: string): readonly string[] =>
          board.contexts.find((context) => context.id === id)?.sources.map(({ name }) => name) ?? [];
        const gone = names(look.since, move.from).filter(
          (name) => !names(look.frame.now, move.from).includes(name),
        );
        return (
          `${plural(move.report.inFlight, 'request')} in flight waited for; ${move.from} lost ` +
          `${gone.length === 0 ? 'no source' : gone.join(', ')} and nothing else; ${count(grown(look, (queue) => queue.completions))} requests since.`
        );
      },
    },
    endStep(
      'D3, D5 and D6 are of the loop itself, and need two queues: “Three defects of the loop” shows them.',
    ),
  ],
};

/** All scenarios, in the order of the menu. The first is what a first visit shows. */
export const SCENARIOS: readonly Scenario[] = [
  FIRST_STEPS,
  TYPING,
  TWO_QUEUES,
  KICKS,
  DRAINED,
  POLLING,
  DEFECTS,
  LOOP_DEFECTS,
];

export const scenarioById = (id: string | undefined): Scenario | undefined =>
  SCENARIOS.find((scenario) => scenario.id === id);

export { FIRST_STEPS };
