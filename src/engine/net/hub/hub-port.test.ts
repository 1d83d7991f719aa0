import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/clock.ts';
import { SharedMemory } from '../../base/shared-memory.ts';
import { TestLoop, TestNotifiers } from '../../block/testing/test-loop.ts';
import type { NetFrontEnd } from '../net-backend.ts';
import { clearHubPort, HubPort, type HubPorts, joinHub, leaveHub } from './hub-port.ts';
import { HUB_PORT_BYTES, HUB_PORT_CAPACITY, HubPortLayout } from './layout.ts';

/** A card that keeps what it takes. */
class FakeCard implements NetFrontEnd {
  readonly frames: string[] = [];
  buffers = Infinity;
  receive(frame: Uint8Array): boolean {
    if (this.buffers === 0) return false;
    this.buffers -= 1;
    this.frames.push(String.fromCharCode(...frame));
    return true;
  }
  sendable(): void {}
  linkChanged(): void {}
}

function machine() {
  const addrs = [0, 1, 2, 3].map((i) => 64 + i * HUB_PORT_BYTES);
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 10, maximum: 10, shared: true }));
  const notifiers = new TestNotifiers();
  const all = addrs.map(() => notifiers.make());
  const ports: HubPorts = { mem, addrs, notifier: (port) => all[port] as (typeof all)[0] };
  const clock = new VirtualClock();
  const loops = [0, 1].map((i) => new TestLoop(`ctx${i}`, clock, notifiers)) as [TestLoop, TestLoop];
  const plug = (port: number, loop: number) => {
    const card = new FakeCard();
    const end = new HubPort(`h${port}`, (loops[loop] as TestLoop).aio, ports, port);
    end.setFrontEnd(card);
    return { card, end };
  };
  const run = (): void => {
    for (let i = 0; i < 3; i++) for (const loop of loops) loop.run();
  };
  const dropped = (port: number): number => mem.load32((addrs[port] as number) + HubPortLayout.at.dropped);
  return { ports, plug, run, dropped };
}
const frame = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe('a hub', () => {
  it('repeats a frame to all its other ports, in whichever context, and to no other hub', () => {
    const m = machine();
    expect([7, 7, 8, 7].map((hub) => joinHub(m.ports, hub))).toEqual([0, 1, 2, 3]);
    expect(joinHub(m.ports, 7)).toBeUndefined();
    const cards = [m.plug(0, 0), m.plug(1, 1), m.plug(2, 0), m.plug(3, 0)];
    cards[0]?.end.send(frame('from zero'));
    m.run();
    expect(cards.map(({ card }) => card.frames)).toEqual([[], ['from zero'], [], ['from zero']]);
    leaveHub(m.ports, 3);
    cards[1]?.end.send(frame('from one'));
    m.run();
    expect(cards.map(({ card }) => card.frames.length)).toEqual([1, 1, 0, 1]);
  });

  it('H1 keeps the order of frames over a busy card and a move', () => {
    const m = machine();
    joinHub(m.ports, 0);
    joinHub(m.ports, 0);
    const sender = m.plug(0, 0);
    let receiver = m.plug(1, 0);
    const got: string[] = [];
    for (let i = 0; i < 500; i++) {
      receiver.card.buffers = i % 3;
      sender.end.send(frame(`frame number ${i}`));
      m.run();
      receiver.end.acceptFrames();
      if (i % 10 === 9) {
        receiver.end.close();
        got.push(...receiver.card.frames);
        receiver = m.plug(1, i % 20 === 9 ? 1 : 0);
      }
    }
    got.push(...receiver.card.frames);
    expect(got).toEqual(Array.from({ length: 500 }, (_, i) => `frame number ${i}`));
  });

  it('H2 drops, whole and counted, what a port that takes nothing can’t hold; others get it', () => {
    const m = machine();
    for (let i = 0; i < 3; i++) joinHub(m.ports, 0);
    const [sender, deaf, other] = [m.plug(0, 0), m.plug(1, 1), m.plug(2, 1)];
    deaf.card.buffers = 0;
    const big = 'x'.repeat(1500);
    for (let i = 0; i < 200; i++) {
      sender.end.send(frame(big));
      m.run();
    }
    expect(other.card.frames.length).toBe(200);
    const held = Math.floor(HUB_PORT_CAPACITY / 1504);
    expect(m.dropped(1)).toBe(200 - held);
    deaf.card.buffers = Infinity;
    deaf.end.acceptFrames();
    expect(deaf.card.frames.length).toBe(held);
    expect(deaf.card.frames.every((each) => each === big)).toBe(true);
    sender.end.send(frame('late'));
    deaf.end.close();
    clearHubPort(m.ports, 1);
    const again = m.plug(1, 0);
    m.run();
    expect(again.card.frames).toEqual([]);
  });
});
