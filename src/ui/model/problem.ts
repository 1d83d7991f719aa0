import type { VmEnd } from '../../engine/vm.ts';
import type { UserError } from './engine-types.ts';

/** What can be offered to get out of a problem. The page maps each to a button. */
export type WayOut =
  | 'reload'
  | 'isolate'
  | 'edit-command-line'
  | 'default-command-line'
  | 'previous-command-line'
  | 'open-images'
  | 'retry'
  | 'power-on'
  | 'dismiss';

/** One clear message: what is wrong, what it means, and how to go on. */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly hint?: string | undefined;
  readonly ways: readonly WayOut[];
  /** Argument of the command line at fault. */
  readonly argIndex?: number | undefined;
  readonly span?: readonly [number, number] | undefined;
}

/** A failure whose message is meant for the user. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** What the browser must offer before a machine can be made; undefined when all is there. */
export async function environmentProblem(): Promise<Problem | undefined> {
  if (!globalThis.isSecureContext) {
    return {
      title: 'This page needs a secure address',
      detail:
        'Shared memory and private files exist only on https:// pages and on localhost. This page came over plain http from another machine.',
      hint: 'Open it as http://localhost:… on the machine that serves it, or serve it over https.',
      ways: ['reload'],
    };
  }
  if (!globalThis.crossOriginIsolated) {
    return {
      title: 'The page is not cross-origin isolated',
      detail:
        'The machine’s threads share one memory, which browsers allow only on pages that arrive with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp. This answer lacked at least one of them, or the page sits in a frame that does.',
      hint: 'Start it with `npm start`, which sends both; on your own server add the two headers. Then reload. Or let a small service worker add them in this browser.',
      ways: canIsolate() ? ['isolate', 'reload'] : ['reload'],
    };
  }
  if (typeof SharedArrayBuffer === 'undefined' || typeof WebAssembly === 'undefined') {
    return {
      title: 'This browser has no shared memory',
      detail: 'SharedArrayBuffer or WebAssembly is missing or switched off here.',
      hint: 'Use a current Chromium or Firefox with default settings.',
      ways: ['reload'],
    };
  }
  try {
    await navigator.storage.getDirectory();
  } catch (error) {
    return {
      title: 'There is no private file storage here',
      detail: `The machine keeps its disks in the origin private file system (OPFS), which this browser refuses: ${messageOf(error)}.`,
      hint: 'Private windows of some browsers have none, and blocking site data switches it off. Open the page in an ordinary window.',
      ways: ['reload'],
    };
  }
  return undefined;
}

/** A refusal by the engine, as the page shows it. */
export function problemFromUserError(error: UserError, title = 'The machine could not be built'): Problem {
  const isTaken = /another tab|in use|locked/i.test(error.desc);
  return {
    title: isTaken ? 'A disk of this machine is in use' : title,
    detail: error.desc,
    hint:
      error.hint ??
      (isTaken
        ? 'One machine at a time can have it. Close the other tab, or cut the power there, and try again; or name another disk.'
        : undefined),
    argIndex: error.argIndex,
    span: error.span,
    ways: isTaken
      ? ['retry', 'edit-command-line']
      : ['edit-command-line', 'previous-command-line', 'default-command-line'],
  };
}

/** The guest's kernel gave up. */
export const panicProblem = (detail: string): Problem => ({
  title: 'The guest panicked',
  detail,
  hint: 'The last lines of the terminal say why. The disks are as the guest left them.',
  ways: ['power-on', 'edit-command-line', 'dismiss'],
});

/** How a machine ended, when it is worth a message. */
export function problemFromEnd(end: VmEnd): Problem | undefined {
  switch (end.reason) {
    case 'guest-panic':
      return panicProblem(end.detail);
    case 'failed':
      return {
        title: 'The machine stopped with an internal error',
        detail: end.detail,
        hint: 'This is a defect of the playground, not of your guest. The disks were closed.',
        ways: ['power-on', 'dismiss'],
      };
    default:
      return undefined;
  }
}

/** Any thrown thing as a Problem. */
export function problemFromUnknown(error: unknown, title: string, ways: readonly WayOut[]): Problem {
  if (error instanceof ProblemError) return error.problem;
  return { title, detail: messageOf(error), ways };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A service worker can add the headers, except in a frame, whose parent decides. */
const canIsolate = (): boolean => 'serviceWorker' in navigator && window.top === window;

/** Registers the worker that adds the headers; the page must be loaded anew. */
export async function isolateByServiceWorker(base: URL): Promise<void> {
  await navigator.serviceWorker.register(new URL('isolation-sw.js', base));
  await navigator.serviceWorker.ready;
}

/** What the machine refused, and on a line of its own what is possible instead. */
export const errorInWords = ({ desc, hint }: Pick<UserError, 'desc' | 'hint'>): string =>
  hint === undefined ? desc : `${desc}\n${hint}`;
