import { describe, expect, it } from 'vitest';
import { FakeNotifier } from '../../qcontext/testing.ts';
import { everyInterleaving, hookedMemory } from './testing/hooked-memory.ts';
import { Uart16550 } from './uart16550.ts';

const [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const THR = RBR;
const FCR = IIR;
const THRE = 0x60;

/** One memory for all boards: thousands are made. */
const shared = hookedMemory();

function board() {
  const mem = shared;
  mem.cancel();
  mem.u8.fill(0);
  const IRQ = 128 * 1024;
  const txReady = new FakeNotifier(0);
  const rxSpace = new FakeNotifier(1);
  const irq = { set: (level: boolean) => mem.store32(IRQ, level ? 1 : 0) };
  const uart = new Uart16550(mem, 0x1_0000 - 0x8000, irq, { txReady, rxSpace });
  uart.reset();
  const type = (text: string): number => {
    const count = uart.rx.put(Uint8Array.from(text, (c) => c.charCodeAt(0)));
    uart.rxArrived();
    return count;
  };
  const sent = (): string => {
    const bytes = new Uint8Array(uart.tx.used);
    uart.tx.skip(uart.tx.peek(bytes));
    return String.fromCharCode(...bytes);
  };
  return {
    mem,
    uart,
    txReady,
    rxSpace,
    type,
    sent,
    line: () => mem.load32(IRQ),
    r: (offset: number) => uart.read(offset, 1),
    w: (offset: number, value: number) => uart.write(offset, 1, value),
  };
}

/** U1: the line says what IIR says. Reading IIR may change it, so this comes last. */
const consistent = (b: ReturnType<typeof board>, where = '') => {
  const line = b.line();
  expect(line, where).toBe((b.r(IIR) & 1) === 0 ? 1 : 0);
};

describe('16550 registers', () => {
  it('after reset: nothing pending, transmitter empty, FIFOs off', () => {
    const b = board();
    expect([b.r(IIR), b.r(LSR), b.r(IER), b.r(LCR), b.r(MCR), b.r(MSR), b.r(SCR)]).toEqual([
      0x01,
      THRE,
      0,
      0,
      0,
      0xb0,
      0,
    ]);
  });

  it('DLAB swaps in the divisor latch', () => {
    const b = board();
    b.w(LCR, 0x83);
    b.w(0, 0x01);
    b.w(1, 0x02);
    expect([b.r(0), b.r(1)]).toEqual([0x01, 0x02]);
    b.w(LCR, 0x03);
    expect(b.r(IER)).toBe(0);
    expect(b.sent()).toBe('');
  });

  it('IIR shows whether the FIFOs are on; SCR and the upper bits of IER and MCR are as specified', () => {
    const b = board();
    b.w(FCR, 0x07);
    expect(b.r(IIR)).toBe(0xc1);
    b.w(FCR, 0);
    expect(b.r(IIR)).toBe(0x01);
    b.w(SCR, 0xa5);
    b.w(IER, 0xff);
    b.w(MCR, 0xff);
    expect([b.r(SCR), b.r(IER), b.r(MCR)]).toEqual([0xa5, 0x0f, 0x1f]);
  });

  it('sends bytes in order and tells the context once', () => {
    const b = board();
    for (const c of 'hello') b.w(THR, c.charCodeAt(0));
    expect(b.txReady.count).toBe(1);
    expect(b.sent()).toBe('hello');
  });

  it('receives in order; LSR and RDI follow', () => {
    const b = board();
    b.w(IER, 0x01);
    b.type('ab');
    expect([b.line(), b.r(IIR), b.r(LSR) & 1]).toEqual([1, 0x04, 1]);
    expect([b.r(RBR), b.r(RBR), b.r(RBR)]).toEqual([97, 98, 0]);
    expect([b.line(), b.r(LSR) & 1]).toEqual([0, 0]);
  });

  it('below the trigger level it is the character timeout that interrupts', () => {
    const b = board();
    b.w(FCR, 0x81); // trigger at 8
    b.w(IER, 0x01);
    b.type('1234567');
    expect(b.r(IIR)).toBe(0xcc);
    b.type('8');
    expect(b.r(IIR)).toBe(0xc4);
  });

  it('U2: THRI is reported each time it is enabled, and taken back by reading IIR, by a write, by disabling', () => {
    const b = board();
    b.w(IER, 0x02);
    expect([b.line(), b.r(IIR)]).toEqual([1, 0x02]);
    expect([b.line(), b.r(IIR)]).toEqual([0, 0x01]);
    b.w(IER, 0x00);
    b.w(IER, 0x02); // the test Linux's 8250 driver makes at startup
    expect(b.r(IIR)).toBe(0x02);
    b.w(IER, 0x00);
    b.w(IER, 0x02);
    b.w(IER, 0x00);
    expect(b.line()).toBe(0);
  });

  it('reading IIR takes THRI back only when it is what IIR shows', () => {
    const b = board();
    b.w(IER, 0x03);
    b.type('x');
    expect(b.r(IIR)).toBe(0x04);
    b.r(RBR);
    expect([b.line(), b.r(IIR)]).toEqual([1, 0x02]);
  });

  it('U3: each byte sent reports the transmitter empty again', () => {
    const b = board();
    b.w(IER, 0x02);
    b.r(IIR);
    b.w(THR, 0x41);
    expect([b.line(), b.r(IIR)]).toEqual([1, 0x02]);
  });

  it('loopback: bytes come back, the host sees nothing, modem lines cross over', () => {
    const b = board();
    b.type('typed');
    b.w(MCR, 0x1a); // loop, OUT2, RTS: what Linux writes to find the port
    expect(b.r(MSR) & 0xf0).toBe(0x90);
    b.w(THR, 0x55);
    expect([b.r(LSR) & 1, b.r(RBR), b.r(LSR) & 1]).toEqual([1, 0x55, 0]);
    expect(b.sent()).toBe('');
    b.w(MCR, 0x0b);
    expect(b.r(RBR)).toBe('t'.charCodeAt(0));
  });

  it('modem status changes are reported once', () => {
    const b = board();
    b.w(MCR, 0x10);
    b.r(MSR);
    b.w(IER, 0x08);
    b.w(MCR, 0x12);
    expect([b.line(), b.r(IIR), b.r(MSR) & 0x0f]).toEqual([1, 0x00, 0x01]);
    expect([b.line(), b.r(IIR)]).toEqual([0, 0x01]);
    b.w(MCR, 0x16); // ring indicator on: no delta
    expect(b.r(MSR) & 0x0f).toBe(0);
    b.w(MCR, 0x12); // and off
    expect(b.r(MSR) & 0x0f).toBe(0x04);
  });

  it('clearing the receive FIFO drops what is in the chip, not what the host still holds', () => {
    const b = board();
    b.w(FCR, 0x01);
    b.type('0123456789abcdefghij');
    b.w(FCR, 0x03);
    expect(String.fromCharCode(...Array.from({ length: 4 }, () => b.r(RBR)))).toBe('ghij');
  });
});

describe('16550 back-pressure', () => {
  it('U4: a paste of 100 kB arrives whole', () => {
    const b = board();
    const paste = Array.from({ length: 100_000 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('');
    let offered = 0;
    let got = '';
    for (let guard = 0; got.length < paste.length && guard < 1000; guard++) {
      if (offered < paste.length) {
        offered += b.type(paste.slice(offered));
        b.uart.rx.wantSpace();
      }
      while ((b.r(LSR) & 1) !== 0 && !b.rxSpace.testAndClear()) got += String.fromCharCode(b.r(RBR));
    }
    expect(got).toBe(paste);
  });

  it('U4: a driver that looks at LSR before each FIFO’s worth loses nothing while the host does not take it', () => {
    const b = board();
    b.w(IER, 0x02);
    let written = 0;
    while ((b.r(LSR) & 0x20) !== 0) {
      for (let i = 0; i < 16; i++) b.w(THR, 0x20 + (written++ % 64));
    }
    expect(written).toBeGreaterThan(60_000);
    b.r(IIR);
    expect([b.line(), b.r(IIR)]).toEqual([0, 0x01]);
    const text = b.sent();
    expect(text.length).toBe(written);
    b.uart.txDrained();
    // U3: the host made room.
    expect([b.line(), b.r(IIR), b.r(LSR)]).toEqual([1, 0x02, THRE]);
  });
});

describe('16550 under every interleaving of hart and context', () => {
  const hart: Record<string, (b: ReturnType<typeof board>) => void> = {
    'read RBR': (b) => void b.r(RBR),
    'write THR': (b) => b.w(THR, 1),
    'enable all': (b) => b.w(IER, 3),
    'disable all': (b) => b.w(IER, 0),
    'read IIR': (b) => void b.r(IIR),
    'clear FIFOs': (b) => b.w(FCR, 7),
  };
  const context: Record<string, (b: ReturnType<typeof board>) => void> = {
    'a byte arrives': (b) => void b.type('x'),
    'the host drains': (b) => {
      b.uart.tx.skip(b.uart.tx.used);
      b.uart.txDrained();
    },
  };
  /** Leaves room for 32 bytes, the least with which the transmitter counts as empty. */
  const filling = new Uint8Array(board().uart.tx.free - 32);
  const fill = (b: ReturnType<typeof board>): void => {
    b.uart.tx.put(filling);
    b.w(IER, 3);
  };
  const starts: Record<string, (b: ReturnType<typeof board>) => void> = {
    idle: (b) => b.w(IER, 3),
    'a byte waits': (b) => {
      b.w(IER, 3);
      b.type('y');
    },
    'room for one more': fill,
    'transmitter full': (b) => {
      fill(b);
      b.w(THR, 1);
    },
  };

  it('U1: the line agrees with IIR, whoever comes between', () => {
    for (const [startName, start] of Object.entries(starts)) {
      for (const [hartName, main] of Object.entries(hart)) {
        for (const [contextName, other] of Object.entries(context)) {
          for (const [first, second, name] of [
            [main, other, `${hartName}, then ${contextName}`],
            [other, main, `${contextName}, then ${hartName}`],
          ] as const) {
            everyInterleaving(() => {
              const b = board();
              start(b);
              return {
                mem: b.mem,
                main: () => first(b),
                intruder: () => second(b),
                check: (where) => consistent(b, `${startName}: ${name}, ${where}`),
              };
            });
          }
        }
      }
    }
  });

  it('U3: a transmitter that was full reports empty, whenever the host drains it', () => {
    everyInterleaving(() => {
      const b = board();
      fill(b);
      b.r(IIR);
      return {
        mem: b.mem,
        main: () => b.w(THR, 1),
        intruder: () => {
          b.uart.tx.skip(b.uart.tx.used);
          b.uart.txDrained();
        },
        check: (where) => expect([b.line(), b.r(IIR)], where).toEqual([1, 0x02]),
      };
    });
  });
});
