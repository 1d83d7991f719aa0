import { describe, expect, it } from 'vitest';
import { createIdleSource } from './idle-source.ts';
import { VirtualLoop } from './testing.ts';

/** Two logical threads on one: whose turn it is, is said by `now`. */
function twoThreads(): { loop: VirtualLoop; as: <T>(thread: string, run: () => T) => T } {
  let now = 'A';
  const loop = new VirtualLoop(undefined, () => now);
  const as = <T>(thread: string, run: () => T): T => {
    const before = now;
    now = thread;
    try {
      return run();
    } finally {
      now = before;
    }
  };
  return { loop, as };
}

describe('ownership', () => {
  it('G15: one thread at a time, counted', () => {
    const { loop, as } = twoThreads();
    const { context } = loop;
    expect(as('A', () => context.acquire())).toBe(true);
    expect(as('A', () => context.acquire())).toBe(true);
    expect(as('B', () => context.acquire())).toBe(false);
    as('A', () => context.release());
    expect(as('B', () => context.acquire())).toBe(false);
    as('A', () => context.release());
    expect(as('B', () => context.acquire())).toBe(true);
    expect(as('B', () => context.isOwner)).toBe(true);
    expect(() => as('A', () => context.release())).toThrow('does not own');
  });

  it('G15: a foreign thread can not iterate', () => {
    const { loop, as } = twoThreads();
    const log: string[] = [];
    loop.context.attach(createIdleSource(() => log.push('ran') < 0));
    as('A', () => loop.context.acquire());
    expect(as('B', () => loop.context.iterate(false))).toBe(false);
    expect(log).toEqual([]);
    expect(as('A', () => loop.context.iterate(false))).toBe(true);
    expect(log).toEqual(['ran']);
  });

  it('G15: waiting threads get it in the order of waiting', () => {
    const { loop, as } = twoThreads();
    const { context } = loop;
    const order: string[] = [];
    as('A', () => context.acquire());
    const gotB = as('B', () =>
      context.wait((readyB) => {
        // While B waits, C waits too, and A lets go.
        const gotC = as('C', () =>
          context.wait((readyC) => {
            as('A', () => context.release());
            order.push(`B ${String(readyB())}`, `C ${String(readyC())}`);
            return readyC();
          }),
        );
        expect(gotC).toBe(false);
        return readyB();
      }),
    );
    expect(gotB).toBe(true);
    expect(order).toEqual(['B true', 'C false']);
    expect(as('B', () => context.isOwner)).toBe(true);
  });

  it('G15: attaching from another thread wakes the owner', () => {
    const { loop, as } = twoThreads();
    as('A', () => loop.context.acquire());
    as('A', () => loop.context.attach(createIdleSource(() => false)));
    expect(loop.woken).toBe(false);
    as('B', () => loop.context.attach(createIdleSource(() => false)));
    expect(loop.woken).toBe(true);
  });

  it('G16: invoke runs at once for the owner, else from the loop at its priority', () => {
    const { loop, as } = twoThreads();
    const log: string[] = [];
    as('A', () => loop.context.acquire());
    as('A', () => loop.context.invoke(() => log.push('direct') < 0));
    expect(log).toEqual(['direct']);
    as('B', () => {
      loop.context.invoke(() => log.push('later') < 0, 5);
      loop.context.invoke(() => log.push('sooner') < 0, -5);
    });
    expect(log).toEqual(['direct']);
    as('A', () => {
      loop.context.iterate(false);
      loop.context.iterate(false);
    });
    expect(log).toEqual(['direct', 'sooner', 'later']);
  });
});
