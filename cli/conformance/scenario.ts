import { currentSource, mainDepth } from '../../src/engine/qcontext/dispatch-stack.ts';
import { GlibQContext } from '../../src/engine/qcontext/glib-qcontext.ts';
import { createIdleSource } from '../../src/engine/qcontext/idle-source.ts';
import { IO_ERR, IO_HUP, IO_IN, type PollFd, PollSet } from '../../src/engine/qcontext/poll-fd.ts';
import { QSource, type SourceFuncs } from '../../src/engine/qcontext/qsource.ts';
import { createTimeoutSource } from '../../src/engine/qcontext/timeout-source.ts';
import { addLong, atoi, atoll } from './c-numbers.ts';

/** Sorts before every simulated fd, as the oracle's eventfd does. */
const WAKE_FD = -1;
const MAX_OPERATIONS = 400;
const MAX_NESTING = 3;

interface Operation {
  /** At which dispatch it runs; 0 = at each. */
  at: number;
  op: string;
  args: string[];
}

interface Subject {
  readonly name: string;
  readonly source: QSource;
  /** What `prepare` and `check` return: C's truth, so any number. */
  prepareResult: number;
  checkResult: number;
  readonly returnAfter: number;
  dispatches: number;
  readonly operations: Operation[];
  readonly tags: Map<number, PollFd>;
  /** The creator's reference is gone: the scenario may not name it any more. */
  released: boolean;
  attached: boolean;
  parent: Subject | null;
}

/**
 * Runs one scenario of the conformance language on a GlibQContext under a virtual clock, and tells
 * what happened in the same words as the oracle, `glibtrace.c`, which does it on libglib.
 */
export class Scenario {
  readonly #out: string[] = [];
  readonly #subjects: Subject[] = [];
  /** What each simulated fd answers when it is polled. */
  readonly #answers = new Map<number, number>();
  readonly #phases = new PollSet();
  readonly #context: GlibQContext;
  #error: unknown;
  #nowUs = 1_000_000;
  #woken = false;
  #nesting = 0;
  #operations = 0;

  constructor() {
    this.#context = new GlibQContext({
      name: 'conformance',
      nowUs: () => this.#nowUs,
      poll: (set, timeoutMs) => this.#poll(set, timeoutMs),
      wakeup: () => {
        this.#woken = true;
      },
      acknowledgeWakeup: (set) => {
        const first = set.fds[0];
        if (set.n > 0 && first?.fd === WAKE_FD && first.revents !== 0) this.#woken = false;
      },
      observer: {
        warning: (_context, message) => this.#print(`LOG ${message}`),
        sourceThrew: (_context, _source, _phase, error) => this.#crash(error),
      },
    });
    this.#context.watchWakeup({ fd: WAKE_FD, events: IO_IN, revents: 0 });
    this.#context.acquire();
  }

  /**
   * Runs the lines of a scenario and returns the trace, one line an entry. A misuse on which GLib
   * aborts ends the trace where it happens, without the line `END`; `crash` then holds the error.
   */
  run(lines: readonly string[]): string[] {
    try {
      for (const line of lines) this.#line(line.split(/ +/).filter((word) => word !== ''));
    } catch (error) {
      this.#crash(error);
    }
    this.#print(`END t=${this.#nowUs}`);
    return this.#out;
  }

  get crash(): unknown {
    return this.#error;
  }

  #crash(error: unknown): void {
    this.#error ??= error;
  }

  #print(line: string): void {
    if (this.#error === undefined) this.#out.push(line);
  }

  #line(words: string[]): void {
    const [verb = '', name = '', a = '', b = '', c = '', d = ''] = words;
    if (verb === 'src') {
      this.#define(name, atoi(d), (self) => new QSource(this.#funcs(self, a, b, atoi(c)), name), {
        prepare: Number(a.startsWith('1')),
        check: Number(b.startsWith('1')),
      });
    } else if (verb === 'idle') {
      this.#define(name, atoi(a), (self) =>
        createIdleSource(
          () => this.#dispatch(self()),
          name,
          () => this.#print(`n ${name}`),
        ),
      );
    } else if (verb === 'timeout') {
      this.#define(name, atoi(b), (self) =>
        createTimeoutSource(
          atoi(a) >>> 0,
          this.#nowUs,
          () => this.#dispatch(self()),
          name,
          () => this.#print(`n ${name}`),
        ),
      );
    } else if (verb === 'on') {
      this.#find(name)?.operations.push({ at: a === '*' ? 0 : atoi(a), op: b, args: words.slice(4) });
    } else if (verb === 'do') {
      this.#operate({ at: 0, op: name, args: words.slice(2) });
    }
  }

  #define(
    name: string,
    returnAfter: number,
    create: (self: () => Subject) => QSource,
    answers = { prepare: 0, check: 0 },
  ): void {
    const self = (): Subject => subject;
    const subject: Subject = {
      name,
      source: create(self),
      prepareResult: answers.prepare,
      checkResult: answers.check,
      returnAfter,
      dispatches: 0,
      operations: [],
      tags: new Map(),
      released: false,
      attached: false,
      parent: null,
    };
    this.#subjects.push(subject);
  }

  #funcs(self: () => Subject, prepare: string, check: string, timeoutMs: number): SourceFuncs {
    const funcs: SourceFuncs = {
      dispatch: () => this.#dispatch(self()),
      finalize: () => this.#print(`x ${self().name}`),
    };
    if (!prepare.startsWith('-')) {
      funcs.prepare = (_source, timeout) => {
        const { name, prepareResult } = self();
        if (timeoutMs >= 0) timeout.ms = timeoutMs;
        this.#print(`p ${name} ${prepareResult}`);
        return prepareResult !== 0;
      };
    }
    if (!check.startsWith('-')) {
      funcs.check = () => {
        const { name, checkResult } = self();
        this.#print(`c ${name} ${checkResult}`);
        return checkResult !== 0;
      };
    }
    return funcs;
  }

  #dispatch(subject: Subject): boolean {
    const k = ++subject.dispatches;
    const sourceTime = currentSource()?.timeUs() ?? -1;
    this.#print(`d ${subject.name} #${k} t=${this.#nowUs} depth=${mainDepth()} st=${sourceTime}`);
    for (const operation of subject.operations) {
      if (operation.at === 0 || operation.at === k) this.#operate(operation);
    }
    const again = subject.returnAfter === 0 || k < subject.returnAfter;
    this.#print(`e ${subject.name} ${Number(again)}`);
    return again;
  }

  /** The simulated poll: nothing is waited for, the clock jumps by the timeout if no fd is ready. */
  #poll(set: PollSet, timeoutMs: number): number {
    let ready = 0;
    let seen = '';
    for (let i = 0; i < set.n; i++) {
      const entry = set.fds[i];
      if (entry === undefined) break;
      if (entry.fd === WAKE_FD) {
        entry.revents = this.#woken ? IO_IN : 0;
        seen += this.#woken ? ' W!' : ' W';
      } else {
        entry.revents = (this.#answers.get(entry.fd) ?? 0) & (entry.events | IO_ERR | IO_HUP);
        seen += ` ${entry.fd}:${entry.events}:${entry.revents}`;
      }
      if (entry.revents !== 0) ready++;
    }
    if (ready === 0 && timeoutMs > 0) this.#nowUs += timeoutMs * 1000;
    const stall = ready === 0 && timeoutMs < 0 ? ' STALL' : '';
    this.#print(`poll to=${timeoutMs}${stall} t=${this.#nowUs}${seen}`);
    return ready;
  }

  #find(name: string): Subject | undefined {
    return this.#subjects.find((subject) => subject.name === name);
  }

  #operate({ op, args }: Operation): void {
    if (++this.#operations > MAX_OPERATIONS) return;
    const [first = '', second = '', third = ''] = args;
    switch (op) {
      case 'fd':
        this.#answers.set(atoi(first), atoi(second));
        return;
      case 'tick':
        this.#nowUs = addLong(this.#nowUs, first);
        return;
      case 'wakeup':
        this.#context.wakeup();
        return;
      case 'iter':
        this.#nested(`iter> ${first}`, 'iter<', () => this.#context.iterate(atoi(first) !== 0));
        return;
      case 'pending':
        this.#nested('pending>', 'pending<', () => this.#context.pending());
        return;
      case 'prepare': {
        const ready = this.#context.prepare(this.#phases);
        this.#print(`prepare ${Number(ready)} max=${this.#phases.maxPriority}`);
        return;
      }
      case 'query':
        this.#context.query(this.#phases);
        this.#print(`query n=${this.#phases.n} to=${this.#phases.timeoutMs}`);
        return;
      case 'poll':
        this.#poll(this.#phases, 0);
        return;
      case 'check':
        this.#print(`check ${Number(this.#context.check(this.#phases))}`);
        return;
      case 'dispatch':
        this.#print('dispatch>');
        this.#context.dispatch();
        this.#print('dispatch<');
        return;
      default:
        this.#operateOn(this.#find(first), op, second, third);
    }
  }

  #nested(before: string, after: string, run: () => boolean): void {
    if (this.#nesting >= MAX_NESTING) return;
    this.#nesting++;
    this.#print(before);
    this.#print(`${after} ${Number(run())}`);
    this.#nesting--;
  }

  /** Operations on a source. What would be a programming error is skipped, as the oracle does. */
  #operateOn(subject: Subject | undefined, op: string, second: string, third: string): void {
    if (!SOURCE_OPERATIONS.has(op)) {
      this.#print(`??? ${op}`);
      return;
    }
    if (subject === undefined) return;
    if (op === 'setprep') subject.prepareResult = atoi(second);
    if (op === 'setchk') subject.checkResult = atoi(second);
    if (subject.released) return;
    const { name, source } = subject;
    const alive = !source.isDestroyed;
    switch (op) {
      case 'attach':
        if (subject.attached || !alive || subject.parent !== null) return;
        subject.attached = true;
        this.#print(`attach ${name} id=${this.#context.attach(source)}`);
        return;
      case 'destroy':
        this.#print(`destroy ${name}`);
        source.destroy();
        return;
      case 'unref':
        subject.released = true;
        this.#print(`unref ${name}`);
        source.unref();
        return;
      case 'prio':
        if (subject.parent === null && alive) source.setPriority(atoi(second));
        return;
      case 'ready':
        source.readyTimeUs = second.startsWith('+') ? addLong(this.#nowUs, second.slice(1)) : atoll(second);
        return;
      case 'recurse':
        source.canRecurse = atoi(second) !== 0;
        return;
      case 'child':
        this.#addChild(subject, this.#find(second));
        return;
      case 'unchild':
        this.#removeChild(subject, this.#find(second));
        return;
      default:
        if (alive) this.#operateOnFd(subject, op, atoi(second), atoi(third));
    }
  }

  #operateOnFd({ source, tags }: Subject, op: string, fd: number, events: number): void {
    const tag = tags.get(fd);
    if (op === 'addfd' && tag === undefined) tags.set(fd, source.addPollFd(fd, events));
    if (op === 'modfd' && tag !== undefined) source.modifyPollFd(tag, events);
    if (op === 'rmfd' && tag !== undefined) {
      source.removePollFd(tag);
      tags.delete(fd);
    }
  }

  #addChild(parent: Subject, child: Subject | undefined): void {
    if (child === undefined || child === parent || child.released) return;
    if (parent.source.isDestroyed || child.source.isDestroyed || child.attached || child.parent !== null)
      return;
    for (let at: Subject | null = parent; at !== null; at = at.parent) if (at === child) return;
    if (this.#subjects.some((other) => other.parent === child)) return;
    child.parent = parent;
    this.#print(`child ${parent.name} ${child.name}`);
    parent.source.addChild(child.source);
    child.attached = true;
  }

  #removeChild(parent: Subject, child: Subject | undefined): void {
    if (child === undefined || child.released || child.parent !== parent) return;
    if (parent.source.isDestroyed || child.source.isDestroyed || parent.source.context === null) return;
    this.#print(`unchild ${parent.name} ${child.name}`);
    parent.source.removeChild(child.source);
  }
}

const SOURCE_OPERATIONS = new Set([
  'attach',
  'destroy',
  'unref',
  'prio',
  'ready',
  'recurse',
  'child',
  'unchild',
  'addfd',
  'modfd',
  'rmfd',
  'setprep',
  'setchk',
]);
