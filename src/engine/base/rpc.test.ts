import { describe, expect, it, vi } from 'vitest';
import { Inbox, PeerGoneError, type Port, Rpc, wakeInbox } from './rpc.ts';
import { SharedMemory } from './shared-memory.ts';
import { CONTROL_YIELD, WakeWord, WakeWordLayout } from './wake-word.ts';

interface Service {
  add(a: number, b: number): number;
  slow(ms: number): Promise<string>;
  fails(): void;
  note(text: string): void;
  take(bytes: Uint8Array): number;
}

/** Two ends of a channel and what was said; closed at the end of the test. */
function pair(methods: object, hooks: { posted?: () => void; received?: () => void } = {}) {
  const { port1, port2 } = new MessageChannel();
  const near = new Rpc<Service>(port1 as unknown as Port, {}, hooks);
  const far = new Rpc<object>(port2 as unknown as Port, methods);
  return { near, far, close: () => port1.close() };
}

describe('calls over a port', () => {
  it('answers with the value, or with the error the method threw', async () => {
    const { near, close } = pair({
      add: (a: number, b: number) => a + b,
      fails: () => {
        throw new Error('no such disk');
      },
    });
    expect(await near.call('add', 2, 3)).toBe(5);
    await expect(near.call('fails')).rejects.toThrow('no such disk');
    await expect(near.call('note', 'x')).rejects.toThrow('no method note');
    close();
  });

  it('begins calls in the order they were made, and answers each when it is done', async () => {
    const log: string[] = [];
    const { near, close } = pair({
      slow: async (ms: number) => {
        log.push(`slow ${ms}`);
        await new Promise((resolve) => setTimeout(resolve, ms));
        return `after ${ms}`;
      },
      note: (text: string) => log.push(text),
    });
    const first = near.call('slow', 30).then((text) => log.push(text));
    near.send('note', 'note');
    const second = near.call('slow', 1).then((text) => log.push(text));
    await Promise.all([first, second]);
    expect(log).toEqual(['slow 30', 'note', 'slow 1', 'after 1', 'after 30']);
    close();
  });

  it('hands over what is to be transferred', async () => {
    const { near, close } = pair({ take: (bytes: Uint8Array) => bytes.length });
    const bytes = new Uint8Array(100);
    expect(await near.callWith('take', [bytes], [bytes.buffer])).toBe(100);
    expect(bytes.length).toBe(0);
    close();
  });

  it('rejects a call whose arguments can not be cloned, and goes on', async () => {
    const { near, close } = pair({ add: (a: number, b: number) => a + b });
    await expect(near.call('note', (() => {}) as unknown as string)).rejects.toThrow();
    expect(await near.call('add', 1, 1)).toBe(2);
    close();
  });

  it('rejects what waits when the other side is gone, and what comes later at once', async () => {
    const posted = vi.fn();
    const { near, close } = pair({ slow: () => new Promise(() => {}) }, { posted });
    const waiting = near.call('slow', 1);
    near.fail('thread ctx0 died');
    await expect(waiting).rejects.toThrow(PeerGoneError);
    await expect(near.call('slow', 1)).rejects.toThrow('thread ctx0 died');
    near.send('note', 'into the void');
    expect(posted).toHaveBeenCalledTimes(1);
    close();
  });

  it('runs its hooks after each message posted and before each received', async () => {
    const log: string[] = [];
    const { near, close } = pair(
      { add: () => 0 },
      { posted: () => log.push('posted'), received: () => log.push('received') },
    );
    await near.call('add', 1, 2).then(() => log.push('answer'));
    expect(log).toEqual(['posted', 'received', 'answer']);
    close();
  });
});

describe('the inbox of a thread', () => {
  const make = () => {
    const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    return { mem, inbox: new Inbox(mem, 64), wake: new WakeWord(mem, 64) };
  };

  it('is behind until every counted message has come, and the sender makes its thread yield', () => {
    const { mem, inbox, wake } = make();
    expect(inbox.behind).toBe(false);
    wakeInbox(mem, 64);
    wakeInbox(mem, 64);
    expect(wake.takeControl(CONTROL_YIELD)).toBe(CONTROL_YIELD);
    inbox.receive();
    expect(inbox.behind).toBe(true);
    inbox.receive();
    expect(inbox.behind).toBe(false);
  });

  it('counts messages that came before it was made: a thread that starts owes them', () => {
    const { mem } = make();
    wakeInbox(mem, 64);
    const late = new Inbox(mem, 64);
    expect(late.behind).toBe(true);
    late.receive();
    expect(late.behind).toBe(false);
  });

  it('goes on when the count wraps', () => {
    const { mem, inbox } = make();
    mem.store32(64 + WakeWordLayout.at.posted, 0);
    for (let i = 0; i < 3; i++) inbox.receive();
    mem.store32(64 + WakeWordLayout.at.posted, 3);
    expect(inbox.behind).toBe(false);
    mem.add32(64 + WakeWordLayout.at.posted, -4);
    expect(mem.load32(64 + WakeWordLayout.at.posted)).toBe(0xffff_ffff);
    expect(inbox.behind).toBe(true);
  });
});
