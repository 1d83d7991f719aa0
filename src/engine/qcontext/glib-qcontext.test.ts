import { describe, expect, it } from 'vitest';
import { currentSource, mainDepth } from './dispatch-stack.ts';
import { createIdleSource } from './idle-source.ts';
import { IO_ERR, IO_IN, IO_OUT, PollSet } from './poll-fd.ts';
import { PRIORITY_HIGH, PRIORITY_MAX, QSource, type SourceFuncs } from './qsource.ts';
import { VirtualLoop } from './testing.ts';
import { createTimeoutSource } from './timeout-source.ts';

/** A source that is always ready and writes its name. */
function ready(name: string, log: string[], funcs: Partial<SourceFuncs> = {}): QSource {
  return new QSource(
    {
      check: () => true,
      dispatch: () => {
        log.push(name);
        return true;
      },
      ...funcs,
    },
    name,
  );
}

describe('phases', () => {
  it('G1: an iteration runs the five phases in order', () => {
    const log: string[] = [];
    const loop = new VirtualLoop({
      prepared: () => log.push('prepare'),
      queried: () => log.push('query'),
      polled: () => log.push('poll'),
      checked: () => log.push('check'),
      dispatchBegin: () => log.push('dispatch'),
    });
    const source = ready('a', []);
    source.addPollFd(3, IO_IN);
    loop.context.attach(source);
    expect(loop.context.iterate(false)).toBe(true);
    expect(log).toEqual(['prepare', 'query', 'poll', 'check', 'dispatch']);
  });

  it('G1: an empty context is not ready and does not poll without time to wait', () => {
    const loop = new VirtualLoop();
    expect(loop.context.iterate(false)).toBe(false);
    expect(loop.polls).toEqual([]);
  });

  it('G2: by priority, then by attachment, and the urgent starve the others', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const late = ready('late', log);
    late.setPriority(10);
    const urgent = ready('urgent', log, { dispatch: () => log.push('urgent') < 2 });
    urgent.setPriority(PRIORITY_HIGH);
    for (const source of [late, ready('a', log), ready('b', log), urgent]) loop.context.attach(source);
    loop.context.iterate(false);
    expect(log).toEqual(['urgent']);
    loop.context.iterate(false);
    expect(log).toEqual(['urgent', 'urgent']);
    loop.context.iterate(false);
    expect(log).toEqual(['urgent', 'urgent', 'a', 'b']);
  });

  it('G18: running the context from prepare or check is refused with a warning', () => {
    const warnings: string[] = [];
    const loop = new VirtualLoop({ warning: (_context, message) => warnings.push(message) });
    const results: boolean[] = [];
    const source = new QSource({
      prepare: () => {
        results.push(loop.context.iterate(false));
        return false;
      },
      dispatch: () => true,
    });
    loop.context.attach(source);
    loop.context.iterate(false);
    expect(results).toEqual([false]);
    expect(warnings[0]).toContain('prepare() called recursively');
    expect(warnings[1]).toContain('check() called recursively');
  });
});

describe('lives of sources', () => {
  it('G3: a source destroyed by one before it in the batch is not dispatched, and is finalized', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const second = ready('second', log, { finalize: () => log.push('finalized') });
    const first = ready('first', log, {
      dispatch: () => {
        second.destroy();
        log.push('first');
        return true;
      },
    });
    loop.context.attach(first);
    loop.context.attach(second);
    second.unref();
    loop.context.iterate(false);
    expect(log).toEqual(['first', 'finalized']);
  });

  it('G4: callback data is released after the dispatch that destroyed its source', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const source = createIdleSource(
      () => {
        source.destroy();
        log.push('still running');
        return true;
      },
      'once',
      () => log.push('released'),
    );
    loop.context.attach(source);
    loop.context.iterate(false);
    expect(log).toEqual(['still running', 'released']);
  });

  it('G5: a nested iteration takes over what the outer one had pending', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const outer = ready('outer', log, {
      dispatch: () => {
        log.push(`outer at ${mainDepth()}`);
        loop.context.iterate(false);
        return false;
      },
    });
    const other = ready('other', log, {
      dispatch: () => {
        log.push(`other at ${mainDepth()}`);
        return true;
      },
    });
    loop.context.attach(outer);
    loop.context.attach(other);
    loop.context.iterate(false);
    expect(log).toEqual(['outer at 1', 'other at 2']);
    expect(mainDepth()).toBe(0);
    expect(currentSource()).toBeNull();
  });

  it('G7: a source is not dispatched within its own dispatch, unless it may recurse', () => {
    for (const canRecurse of [false, true]) {
      const loop = new VirtualLoop();
      let depth = 0;
      const source = ready('again', [], {
        dispatch: () => {
          depth = Math.max(depth, mainDepth());
          if (mainDepth() < 3) loop.context.iterate(false);
          return true;
        },
      });
      source.canRecurse = canRecurse;
      loop.context.attach(source);
      loop.context.iterate(false);
      expect(depth).toBe(canRecurse ? 3 : 1);
    }
  });

  it('G10: ids wrap and skip 0 and the living', () => {
    const { context } = new VirtualLoop();
    const attach = (): number => context.attach(new QSource({ dispatch: () => true }));
    expect([attach(), attach()]).toEqual([1, 2]);
    context.setNextId(0xffff_ffff);
    expect([attach(), attach(), attach()]).toEqual([0xffff_ffff, 3, 4]);
  });

  it('G19: a source whose callback throws is reported by name and removed; the loop lives', () => {
    for (const phase of ['prepare', 'check', 'dispatch'] as const) {
      const log: string[] = [];
      const loop = new VirtualLoop({
        sourceThrew: (_context, source, where, error) => log.push(`${source.name} ${where} ${String(error)}`),
      });
      const bad = ready('bad', log, {
        [phase]: () => {
          throw new Error('oops');
        },
      });
      loop.context.attach(bad);
      loop.context.attach(ready('good', log));
      loop.context.iterate(false);
      loop.context.iterate(false);
      expect(log).toEqual([`bad ${phase} Error: oops`, 'good', 'good']);
      expect(bad.isDestroyed).toBe(true);
    }
  });

  it('G21: set_priority moves to the tail, also of the same priority', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const a = ready('a', log);
    loop.context.attach(a);
    loop.context.attach(ready('b', log));
    a.setPriority(0);
    loop.context.iterate(false);
    expect(log).toEqual(['b', 'a']);
  });

  it('close destroys all sources', () => {
    const { context } = new VirtualLoop();
    const sources = ['a', 'b', 'c'].map((name) => ready(name, []));
    for (const source of sources) context.attach(source);
    context.close();
    expect(sources.every((source) => source.isDestroyed)).toBe(true);
    expect([...context.sources()]).toEqual([]);
  });
});

describe('child sources', () => {
  it('G6: a child makes its parent ready, runs before it, shares priority and end', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const parent = ready('parent', log, { check: () => false });
    const child = ready('child', log);
    parent.setPriority(7);
    loop.context.attach(parent);
    parent.addChild(child);
    expect(child.priority).toBe(7);
    loop.context.iterate(false);
    expect(log).toEqual(['child', 'parent']);
    parent.destroy();
    expect(child.isDestroyed).toBe(true);
  });

  it('G6: the priority of a child is its parent’s', () => {
    const warnings: string[] = [];
    const loop = new VirtualLoop({ warning: (_context, message) => warnings.push(message) });
    const parent = ready('parent', []);
    const child = ready('child', []);
    loop.context.attach(parent);
    parent.addChild(child);
    child.setPriority(5);
    expect(child.priority).toBe(0);
    expect(warnings).toHaveLength(1);
  });
});

describe('time', () => {
  it('G8: a ready time is not reset, and an equal one is not set again', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const source = ready('timed', log, { check: () => false });
    loop.context.attach(source);
    source.readyTimeUs = 1_002_500;
    loop.woken = false;
    source.readyTimeUs = 1_002_500;
    expect(loop.woken).toBe(false);
    loop.context.iterate(true);
    loop.context.iterate(true);
    expect(log).toEqual(['timed', 'timed']);
    source.readyTimeUs = -1;
    expect(loop.woken).toBe(true);
  });

  it('G9: the time is the same for all dispatches of an iteration', () => {
    const loop = new VirtualLoop();
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const source = ready('t', [], {
        dispatch: (self) => {
          times.push(self.timeUs());
          loop.clock.advance(1_000_000);
          return true;
        },
      });
      loop.context.attach(source);
    }
    loop.context.iterate(false);
    expect(times).toEqual([1_000_000, 1_000_000, 1_000_000]);
    loop.context.iterate(false);
    expect(times[3]).toBe(1_003_000);
  });

  it('G17: waits are rounded up to milliseconds and saturate', () => {
    const loop = new VirtualLoop();
    const source = ready('t', [], { check: () => false });
    loop.context.attach(source);
    const timeoutFor = (readyTimeUs: number): number => {
      source.readyTimeUs = readyTimeUs;
      const set = new PollSet();
      loop.context.prepare(set);
      loop.context.query(set);
      return set.timeoutMs;
    };
    expect(timeoutFor(1_000_001)).toBe(1);
    expect(timeoutFor(1_001_000)).toBe(1);
    expect(timeoutFor(1_001_001)).toBe(2);
    expect(timeoutFor(Number.MAX_SAFE_INTEGER)).toBe(0x7fff_ffff);
    expect(timeoutFor(-1)).toBe(-1);
    expect(timeoutFor(0)).toBe(0);
  });

  it('G22: idle once, timeout repeatedly and from the time of its iteration', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    loop.context.attach(
      createIdleSource(() => {
        log.push('idle');
        return false;
      }),
    );
    loop.context.attach(
      createTimeoutSource(10, 1_000_000, () => {
        log.push(`timeout ${loop.clock.nowNs() / 1e6}`);
        loop.clock.advance(3_000_000);
        return log.length < 4;
      }),
    );
    for (let i = 0; i < 5; i++) loop.context.iterate(true);
    expect(log).toEqual(['idle', 'timeout 1010', 'timeout 1020', 'timeout 1030']);
  });

  it('G20: a wakeup before the iteration keeps it from sleeping; many count as one', () => {
    const loop = new VirtualLoop();
    loop.context.attach(createTimeoutSource(1000, 1_000_000, () => true));
    loop.context.wakeup();
    loop.context.wakeup();
    loop.context.iterate(true);
    expect(loop.clock.nowNs()).toBe(1_000_000_000);
    loop.context.iterate(true);
    expect(loop.clock.nowNs()).toBe(2_000_000_000);
  });
});

describe('fds', () => {
  it('G11: merged by fd, ascending, errors reported but not asked for', () => {
    const loop = new VirtualLoop();
    const a = ready('a', [], { check: () => false });
    const b = ready('b', [], { check: () => false });
    const tag = a.addPollFd(9, IO_IN | IO_ERR);
    a.addPollFd(4, IO_IN);
    b.addPollFd(9, IO_OUT);
    loop.context.attach(a);
    loop.context.attach(b);
    const set = new PollSet();
    loop.context.prepare(set);
    loop.context.query(set);
    expect(set.fds.slice(0, set.n).map(({ fd, events }) => [fd, events])).toEqual([
      [4, IO_IN],
      [9, IO_IN | IO_OUT],
    ]);
    loop.conditions.set(9, IO_ERR | IO_OUT);
    loop.look(set);
    loop.context.check(set);
    expect(tag.revents).toBe(IO_ERR);
  });

  it('G12: fds of less urgent sources than the ready one are left out', () => {
    const loop = new VirtualLoop();
    const urgent = ready('urgent', [], { prepare: () => true });
    const late = ready('late', [], { check: () => false });
    late.setPriority(1);
    late.addPollFd(5, IO_IN);
    urgent.addPollFd(4, IO_IN);
    loop.context.attach(urgent);
    loop.context.attach(late);
    const set = new PollSet();
    expect(loop.context.prepare(set)).toBe(true);
    expect(set.maxPriority).toBe(0);
    expect(loop.context.query(set)).toBe(1);
    urgent.destroy();
    loop.context.prepare(set);
    expect(set.maxPriority).toBe(PRIORITY_MAX);
    expect(loop.context.query(set)).toBe(1);
    expect(set.fds[0]?.fd).toBe(5);
  });

  it('G13: a watch added between query and check makes check collect nothing', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const source = ready('a', log);
    loop.context.attach(source);
    const set = new PollSet();
    loop.context.prepare(set);
    loop.context.query(set);
    source.addPollFd(3, IO_IN);
    expect(loop.context.check(set)).toBe(false);
    loop.context.dispatch();
    expect(log).toEqual([]);
    expect(loop.context.iterate(false)).toBe(true);
  });

  it('G14: watches are added, changed and removed while attached', () => {
    const loop = new VirtualLoop();
    const log: string[] = [];
    const source = ready('a', log, { check: () => false });
    loop.context.attach(source);
    loop.conditions.set(3, IO_IN);
    loop.context.iterate(false);
    const tag = source.addPollFd(3, IO_OUT);
    expect(loop.woken).toBe(true);
    loop.context.iterate(false);
    expect(log).toEqual([]);
    source.modifyPollFd(tag, IO_IN);
    loop.context.iterate(false);
    expect(log).toEqual(['a']);
    source.removePollFd(tag);
    loop.context.iterate(false);
    expect(log).toEqual(['a']);
  });
});

describe('cost', () => {
  it('G23: the steps of attaching, iterating and destroying are so many for each source, however many there are', () => {
    const priorities = [0, -5, 200, 7];
    const steps = (n: number): readonly number[] => {
      const { context } = new VirtualLoop();
      let asked = 0;
      const sources = Array.from({ length: n }, (_, i) => {
        const source = new QSource({ prepare: () => ++asked < 0, dispatch: () => true });
        source.setPriority(priorities[i % priorities.length] ?? 0);
        source.addPollFd(n - i, IO_IN);
        return source;
      });
      const counts: number[] = [];
      const count = (what: () => void): void => {
        const before = context.listSteps;
        what();
        counts.push((context.listSteps - before) / n);
      };
      count(() => sources.forEach((source) => context.attach(source)));
      count(() => context.iterate(false));
      // Neither from the front nor from the back: a list that is searched would show here.
      count(() => sources.forEach((_, i) => sources[(i * 7919) % n]?.destroy()));
      count(() => context.iterate(false));
      expect(asked).toBe(n);
      expect([...context.sources()]).toEqual([]);
      return counts;
    };
    const [few, many] = [steps(1000), steps(50_000)];
    for (const [i, each] of many.entries()) {
      expect(each).toBeLessThan(8);
      expect(each).toBeCloseTo(few[i] ?? 0, 1);
    }
  });
});
