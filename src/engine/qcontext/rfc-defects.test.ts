import { describe, expect, it } from 'vitest';
import { AioContext } from './aio-context.ts';
import { createIdleSource } from './idle-source.ts';
import { IOHANDLER, IoHandler } from './io-handler.ts';
import { IO_ERR, IO_IN, IO_OUT } from './poll-fd.ts';
import { QSource } from './qsource.ts';
import { VirtualLoop } from './testing.ts';

/** The defects of the published QContext proposal, each with the right behaviour shown here. */
describe('defects of the proposal', () => {
  it('D1: what prepare found ready is dispatched, because check runs too', () => {
    const loop = new VirtualLoop();
    let ran = 0;
    const source = new QSource({
      prepare: () => true,
      dispatch: () => {
        ran++;
        return true;
      },
    });
    loop.context.attach(source);
    expect(loop.context.iterate(false)).toBe(true);
    expect(ran).toBe(1);
  });

  it('D2: detach never touches a source of another context, whatever its id', () => {
    const main = new VirtualLoop();
    const other = new VirtualLoop();
    const mine = createIdleSource(() => true, 'mine');
    const unrelated = createIdleSource(() => true, 'unrelated');
    const id = other.context.attach(mine);
    expect(main.context.attach(unrelated)).toBe(id);
    expect(main.context.detach(mine)).toBe(false);
    expect(mine.isDestroyed).toBe(false);
    expect(other.context.detach(mine)).toBe(true);
    expect(mine.isDestroyed).toBe(true);
    expect(unrelated.isDestroyed).toBe(false);
  });

  it('D3: two threads can not run one context at once', () => {
    let thread = 'A';
    const loop = new VirtualLoop(undefined, () => thread);
    const results: boolean[] = [];
    loop.context.attach(
      createIdleSource(() => {
        thread = 'B';
        results.push(loop.context.iterate(false));
        thread = 'A';
        return false;
      }),
    );
    expect(loop.context.iterate(false)).toBe(true);
    expect(results).toEqual([false]);
  });

  it('D4: a lookup that fails is null', () => {
    const { context } = new VirtualLoop();
    expect(context.findSourceByName(IOHANDLER)).toBeNull();
    expect(IoHandler.find(context)).toBeNull();
    expect(context.findSourceById(42)).toBeNull();
    const handlers = new IoHandler();
    context.attach(handlers.source);
    expect(IoHandler.find(context)).toBe(handlers);
    handlers.source.destroy();
    expect(IoHandler.find(context)).toBeNull();
  });

  it('D5: a read handler runs for readable only', () => {
    const loop = new VirtualLoop();
    const handlers = new IoHandler();
    loop.context.attach(handlers.source);
    let reads = 0;
    handlers.setFdHandler(loop.notifier(3), () => reads++);
    for (const condition of [IO_ERR, IO_OUT]) {
      loop.conditions.set(3, condition);
      loop.context.iterate(false);
    }
    expect(reads).toBe(0);
    loop.conditions.set(3, IO_IN);
    loop.context.iterate(false);
    expect(reads).toBe(1);
  });

  it('D6: a change to an attached source loses nothing that happened during it', () => {
    const loop = new VirtualLoop();
    const handlers = new IoHandler();
    const id = loop.context.attach(handlers.source);
    const notifier = loop.notifier(3);
    const log: string[] = [];
    handlers.setFdHandler(notifier, () => log.push('old'));
    // The event arrives between poll and check, and so does the change.
    loop.duringPoll = () => {
      notifier.set();
      handlers.setFdHandler(notifier, () => {
        notifier.testAndClear();
        log.push('new');
      });
    };
    loop.context.iterate(false);
    expect(log).toEqual(['new']);
    expect(handlers.source.id).toBe(id);
    expect(handlers.source.isDestroyed).toBe(false);
  });

  it('D7: after detach nothing of it runs, and what was asked meanwhile runs after it is attached again', () => {
    const loop = new VirtualLoop();
    const aio = new AioContext({ name: 'dev/aio', clock: loop.clock });
    const notifier = loop.notifier(3);
    const log: string[] = [];
    aio.setEventNotifier(notifier, {
      ioRead: () => {
        notifier.testAndClear();
        log.push('read');
      },
    });
    aio.attach(loop.context);
    const bh = aio.bhNew('completion', () => log.push('completion'));
    aio.detach();
    notifier.set();
    bh.schedule();
    loop.context.iterate(false);
    expect(log).toEqual([]);
    const elsewhere = new VirtualLoop();
    elsewhere.notifiers.set(3, notifier);
    aio.attach(elsewhere.context);
    elsewhere.context.iterate(false);
    expect(log).toEqual(['completion', 'read']);
  });
});
