import type { BoardSnapshot, QueueSnapshot } from '../../../engine/vm.ts';
import { count, duration } from '../format.ts';
import { queueRate, queueSum } from '../live-board.ts';
import type { Look, Place, Step } from './scenario.ts';
import { randomReads } from './loads.ts';

type Read = (queue: QueueSnapshot) => number;

/** Requests per second that count as load. */
export const LOADED = 200;
/** Seconds of "after" before a comparison is called done. */
export const COMPARE_SECONDS = 5;

const allQueues = ({ disk }: Look): readonly number[] => disk.queues.map((queue) => queue.index);

/** What a counter of the disk grew by since the step's button was pressed. */
export const grown = (look: Look, read: Read, queues = allQueues(look)): number =>
  queueSum(look.frame.now, look.disk.qomPath, queues, read) -
  queueSum(look.since, look.disk.qomPath, queues, read);

/** What a counter of the disk grows by per second now. */
export const perSecond = (look: Look, read: Read, queues = allQueues(look)): number =>
  queueRate(look.frame, look.disk.qomPath, queues, read);

export const secondsSince = ({ frame, since }: Look): number => (frame.now.timeNs - since.timeNs) / 1e9;

/** Shares of the time since the button was pressed in which a context dispatched and polled. */
export function sharesSince(look: Look, id: string): { readonly busy: number; readonly polling: number } {
  const at = (board: BoardSnapshot) => board.contexts.find((context) => context.id === id);
  const [now, then] = [at(look.frame.now), at(look.since)];
  const ns = look.frame.now.timeNs - look.since.timeNs;
  if (now === undefined || then === undefined || ns <= 0) return { busy: 0, polling: 0 };
  return { busy: (now.busyNs - then.busyNs) / ns, polling: (now.pollingNs - then.pollingNs) / ns };
}

export const plural = (n: number, word: string): string => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
export const percentOf = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

/** The middle and the longest of measured times, in words. */
export function typingInWords(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  const longest = sorted.at(-1);
  return middle === undefined || longest === undefined
    ? 'nothing came back'
    : `${duration(middle)} in the median, ${duration(longest)} at most (n ${times.length})`;
}

/** Steps that several scenarios have. */
export const promptStep = (text: string | ((place: Place) => string)): Step => ({
  id: 'prompt',
  text: typeof text === 'string' ? () => text : text,
  done: ({ atPrompt }) => (atPrompt ? '' : undefined),
});

export const loadStep = (text: string, depth = 8, jobs = 1, seconds = 90): Step => ({
  id: 'load',
  text: () => text,
  button: () => 'Put it under load',
  waiting: 'waiting for the load…',
  act: (hands) => hands.type(randomReads(depth, seconds, jobs)),
  done: (look) => {
    const rate = perSecond(look, (queue) => queue.completions);
    return rate > LOADED ? `The guest now makes ${count(rate)} requests a second.` : undefined;
  },
});

/** The move with its before and after. */
export const moveStep = (text: (place: Place) => string): Step => ({
  id: 'move',
  text,
  button: ({ to }) => `Move the disk to ${to}`,
  waiting: 'measuring before and after…',
  act: (hands, { to }) => hands.move(to),
  done: ({ move, disk }) => {
    if (move?.state === 'refused') return `The move was refused: ${move.refusal ?? ''}`;
    if (move?.after === undefined || move.after.seconds < COMPARE_SECONDS) return undefined;
    const [before, after] = [move.before?.latency.p50, move.after.latency.p50];
    return before === undefined || after === undefined
      ? `${disk.id} moved to ${move.to}.`
      : `Median latency was ${duration(before)} on ${move.from} and is ${duration(after)} on ${move.to}.`;
  },
});

export const endStep = (text: string): Step => ({ id: 'explore', text: () => text });
