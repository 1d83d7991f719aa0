import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { TestLoop, TestNotifiers } from '../block/testing/test-loop.ts';
import { RingFrontEnd } from './ring-front-end.ts';
import { TerminalChardev } from './terminal-chardev.ts';
import { CHAR_WIRE_BYTES, CharWire, WireChardev } from './wire.ts';

/** A console port as the device sees it: takes input while it has room. */
class FakePort {
  got = '';
  room = Infinity;
  writable = 0;
  readonly frontEnd = {
    canReceive: () => Math.min(this.room, 4096),
    receive: (bytes: Uint8Array) => {
      this.got += String.fromCharCode(...bytes);
      this.room -= bytes.length;
    },
    writable: () => {
      this.writable += 1;
    },
  };
}

function line(window?: number) {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  expect(64 + CHAR_WIRE_BYTES).toBeLessThan(65536);
  const notifiers = new TestNotifiers();
  const ends = {
    txReady: notifiers.make(),
    txSpace: notifiers.make(),
    rxReady: notifiers.make(),
    rxSpace: notifiers.make(),
  };
  const clock = new VirtualClock();
  const loops = ['main', 'ctx0', 'ctx1'].map((name) => new TestLoop(name, clock, notifiers));
  const [main, ctx0, ctx1] = loops as [TestLoop, TestLoop, TestLoop];
  let shown = '';
  const terminal = new TerminalChardev(
    'con0',
    (bytes) => {
      shown += String.fromCharCode(...bytes);
    },
    window === undefined ? {} : { window },
  );
  const wire = () => new CharWire(mem, 64, ends);
  const chardevEnd = new RingFrontEnd(main.aio, wire(), terminal, ends);
  const port = new FakePort();
  const serveIn = (loop: TestLoop): WireChardev => {
    const chardev = new WireChardev('port0', loop.aio, wire());
    chardev.setFrontEnd(port.frontEnd);
    return chardev;
  };
  const run = (): void => {
    for (let i = 0; i < 50; i++) for (const loop of loops) loop.run();
  };
  return { terminal, chardevEnd, port, serveIn, ctx0, ctx1, run, shown: () => shown };
}
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe('a wire between a port and its chardev', () => {
  it('W1 keeps input that comes while no context serves the port', () => {
    const l = line();
    const first = l.serveIn(l.ctx0);
    l.terminal.input(ascii('one '));
    l.run();
    first.setFrontEnd(null);
    l.terminal.input(ascii('two '));
    l.run();
    l.serveIn(l.ctx1);
    l.terminal.input(ascii('three'));
    l.run();
    expect(l.port.got).toBe('one two three');
  });

  it('W1 gives more than it holds to a port that takes it bit by bit, over moves', () => {
    const l = line();
    const text = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(33 + ((i * i) % 91))).join('');
    l.terminal.input(ascii(text));
    l.port.room = 0;
    for (let turn = 0; l.port.got.length < text.length && turn < 1000; turn++) {
      const chardev = l.serveIn(turn % 2 === 0 ? l.ctx0 : l.ctx1);
      l.port.room = 777;
      chardev.acceptInput();
      l.run();
      chardev.setFrontEnd(null);
    }
    expect(l.port.got === text).toBe(true);
  });

  it('makes the port wait for a terminal that shows nothing, and tells it when there is room', () => {
    const l = line(100);
    const chardev = l.serveIn(l.ctx0);
    const text = 'x'.repeat(5000) + 'y'.repeat(5000);
    let sent = chardev.write(ascii(text));
    l.run();
    expect(sent).toBeLessThan(text.length);
    for (let turn = 0; l.shown().length < text.length && turn < 1000; turn++) {
      l.terminal.acknowledge(100);
      l.run();
      if (l.port.writable > 0) {
        l.port.writable = 0;
        sent += chardev.write(ascii(text.slice(sent)));
      }
    }
    expect(l.shown() === text).toBe(true);
    expect(sent).toBe(text.length);
  });
});
