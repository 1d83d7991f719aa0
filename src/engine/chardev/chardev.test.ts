import { describe, expect, it } from 'vitest';
import type { CharBackend, CharFrontEnd } from './chardev.ts';
import { NullChardev } from './null-chardev.ts';
import { RingbufChardev } from './ringbuf-chardev.ts';
import { TerminalChardev } from './terminal-chardev.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const textOf = (data: Uint8Array): string => String.fromCharCode(...data);

/** A port that takes `room` bytes. */
class FakePort implements CharFrontEnd {
  received = '';
  room = Infinity;
  writables = 0;
  canReceive(): number {
    return this.room;
  }
  receive(data: Uint8Array): void {
    if (data.length > this.room) throw new Error('more than canReceive said');
    this.room -= data.length;
    this.received += textOf(data);
  }
  writable(): void {
    this.writables += 1;
  }
}

function ringbuf(size?: number): RingbufChardev {
  const result = RingbufChardev.create('ring0', size);
  if (!result.ok) throw new Error(result.error.desc);
  return result.value;
}

/** Input is the same for all back ends that have any. */
const inputs: [name: string, make: () => { backend: CharBackend; send: (data: Uint8Array) => void }][] = [
  [
    'terminal',
    () => {
      const backend = new TerminalChardev('serial0', () => {});
      return { backend, send: (data) => backend.input(data) };
    },
  ],
  [
    'ringbuf',
    () => {
      const backend = ringbuf();
      return { backend, send: (data) => backend.send(data) };
    },
  ],
];

for (const [name, make] of inputs) {
  describe(`${name}: input`, () => {
    it('waits for a front end, then for room, and loses nothing', () => {
      const { backend, send } = make();
      send(bytes('early '));
      const port = new FakePort();
      port.room = 3;
      backend.setFrontEnd(port);
      expect(port.received).toBe('ear');
      send(bytes('later'));
      port.room = 5;
      backend.acceptInput();
      expect(port.received).toBe('early la');
      port.room = Infinity;
      backend.acceptInput();
      expect(port.received).toBe('early later');
    });

    it('keeps what a disconnected front end did not take for the next one', () => {
      const { backend, send } = make();
      const port = new FakePort();
      port.room = 2;
      backend.setFrontEnd(port);
      send(bytes('abcdef'));
      backend.setFrontEnd(null);
      const next = new FakePort();
      backend.setFrontEnd(next);
      expect([port.received, next.received]).toEqual(['ab', 'cdef']);
    });
  });
}

describe('terminal: output', () => {
  it('hands out copies, and stops the guest when nobody shows them', () => {
    const shown: Uint8Array[] = [];
    const terminal = new TerminalChardev('serial0', (data) => shown.push(data), { window: 10 });
    const port = new FakePort();
    terminal.setFrontEnd(port);
    const source = bytes('0123456');
    expect(terminal.write(source)).toBe(7);
    source.fill(0);
    expect(terminal.write(bytes('789abc'))).toBe(3);
    expect(terminal.write(bytes('x'))).toBe(0);
    expect(shown.map(textOf)).toEqual(['0123456', '789']);
    terminal.acknowledge(3);
    expect(port.writables).toBe(0); // not yet half empty
    terminal.acknowledge(4);
    expect(port.writables).toBe(1);
    terminal.acknowledge(3);
    expect(port.writables).toBe(1); // nothing was refused since
    expect(terminal.write(bytes('abc'))).toBe(3);
  });
});

describe('ringbuf: output', () => {
  it('keeps the last bytes', () => {
    const ring = ringbuf(8);
    expect(ring.write(bytes('abcde'))).toBe(5);
    expect(textOf(ring.read(2))).toBe('ab');
    ring.write(bytes('fghijklm'));
    expect(ring.count).toBe(8);
    expect(textOf(ring.read(3))).toBe('fgh');
    ring.write(bytes('0123456789ABCDEF'));
    expect(textOf(ring.read(100))).toBe('89ABCDEF');
    expect(ring.read(1).length).toBe(0);
  });

  it('wants a size that is a power of two', () => {
    for (const size of [0, 3, 1000, -1, 0.5, 2 ** 31]) {
      const result = RingbufChardev.create('ring0', size);
      expect(result.ok ? size : result.error.desc).toMatch(/power of two/);
    }
  });
});

it('null swallows everything', () => {
  const backend = new NullChardev('null0');
  backend.setFrontEnd(new FakePort());
  expect(backend.write(new Uint8Array(1e6))).toBe(1e6);
});
