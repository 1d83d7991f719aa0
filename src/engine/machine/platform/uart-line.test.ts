import { expect, it } from 'vitest';
import { VirtualClock } from '../../base/clock.ts';
import { TestLoop, TestNotifiers } from '../../block/testing/test-loop.ts';
import { TerminalChardev } from '../../chardev/terminal-chardev.ts';
import { testMemory } from './testing/hooked-memory.ts';
import { Uart16550 } from './uart16550.ts';
import { RingFrontEnd } from '../../chardev/ring-front-end.ts';

const LSR = 5;

function board(window?: number) {
  const notifiers = new TestNotifiers();
  const pair = { txReady: notifiers.make(), rxSpace: notifiers.make() };
  const loop = new TestLoop('main/aio', new VirtualClock(), notifiers);
  const uart = new Uart16550(testMemory(), 64, { set: () => {} }, pair);
  uart.reset();
  let shown = '';
  const terminal = new TerminalChardev(
    'serial0',
    (data) => {
      shown += String.fromCharCode(...data);
    },
    window === undefined ? {} : { window },
  );
  const port = new RingFrontEnd(loop.aio, uart, terminal, pair);
  return { loop, uart, terminal, port, shown: () => shown };
}

it('what the guest prints reaches the terminal in one go', () => {
  const b = board();
  for (const c of 'Linux version 6.12') b.uart.write(0, 1, c.charCodeAt(0));
  expect(b.shown()).toBe('');
  b.loop.run();
  expect(b.shown()).toBe('Linux version 6.12');
});

it('100 kB pasted at once arrive whole in a guest that reads slowly', () => {
  const b = board();
  const paste = Uint8Array.from({ length: 100_000 }, (_, i) => 32 + (i % 95));
  b.terminal.input(paste);
  const got = new Uint8Array(paste.length);
  let at = 0;
  for (let turn = 0; turn < 100_000 && at < got.length; turn++) {
    for (let i = 0; i < 16 && (b.uart.read(LSR, 1) & 1) !== 0; i++) got[at++] = b.uart.read(0, 1);
    b.loop.run();
  }
  expect(at).toBe(paste.length);
  expect(Buffer.compare(got, paste)).toBe(0);
});

it('a terminal that shows nothing stops the guest, and lets it go on without loss', () => {
  const b = board(1000);
  let written = '';
  for (let turn = 0; turn < 20_000; turn++) {
    if ((b.uart.read(LSR, 1) & 0x20) === 0) break;
    const c = String.fromCharCode(33 + (turn % 90));
    b.uart.write(0, 1, c.charCodeAt(0));
    written += c;
    if (turn % 100 === 0) b.loop.run();
  }
  b.loop.run();
  expect(b.shown().length).toBe(1000);
  while (b.shown().length < written.length) {
    const before = b.shown().length;
    b.terminal.acknowledge(1000);
    b.loop.run();
    expect(b.shown().length).toBeGreaterThan(before);
  }
  expect(b.shown()).toBe(written);
});

it('after close the loop has nothing of it and bytes wait', () => {
  const b = board();
  b.port.close();
  b.uart.write(0, 1, 65);
  b.loop.run();
  b.terminal.input(Uint8Array.of(66));
  expect([b.shown(), b.uart.tx.used, b.uart.rx.used]).toEqual(['', 1, 0]);
});
