import { beforeEach, expect, it, vi } from 'vitest';
import type { QmpEvent, Vm } from '../../../engine/vm.ts';
import type { BoardFrame, LiveBoard } from '../live-board.ts';
import { SerialLog } from '../serial-log.ts';
import { loadWarmRecord, type RecordStorage } from './warm-record.ts';
import { WarmStart } from './warm-start.ts';

const ARGV = ['-kernel', 'Image', '-drive', 'file=root.img'];

class MemoryStorage implements RecordStorage {
  readonly items = new Map<string, string>();
  full = false;
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => {
    if (this.full) throw new DOMException('full', 'QuotaExceededError');
    this.items.set(key, value);
  };
  removeItem = (key: string): void => void this.items.delete(key);
}

/** The parts of a machine that a snapshot for the next visit is about. */
class Bench {
  readonly storage = new MemoryStorage();
  readonly files: Record<string, string> = { Image: '100 1' };
  readonly snapshots: string[] = [];
  room: number | undefined = 1e9;
  enabled = true;
  /** What `savevm` prints, and what happens while it works. */
  refusal = '';
  meanwhile: () => void = () => {};
  #say: (bytes: Uint8Array) => void = () => {};
  #look: (frame: BoardFrame) => void = () => {};
  #event: (event: QmpEvent) => void = () => {};
  #ms = 0;
  readonly warm = new WarmStart({
    storage: this.storage,
    fileState: (name) => Promise.resolve(this.files[name]),
    room: () => Promise.resolve(this.room),
    bootFiles: () => ['Image'],
    enabled: () => this.enabled,
    now: () => 1_700_000_000_000 + this.#ms,
  });
  readonly serial = new SerialLog({
    write: () => {},
    onData: (listener) => {
      this.#say = listener;
      return () => {};
    },
  });

  say(text: string): void {
    this.#say(new TextEncoder().encode(text));
  }
  watch(argv: readonly string[] = ARGV): () => void {
    const vm = {
      hmp: async (line: string) => this.#hmp(line),
      onEvent: (listener: (event: QmpEvent) => void) => {
        this.#event = listener;
        return () => {};
      },
    } as unknown as Vm;
    const board = {
      onFrame: (listener: (frame: BoardFrame) => void) => {
        this.#look = listener;
        return () => (this.#look = () => {});
      },
    } as unknown as LiveBoard;
    return this.warm.watch(vm, this.serial, board, argv);
  }
  #hmp(line: string): string {
    const [command, tag = ''] = line.replace(' -u', '').split(' ');
    if (command === 'info') return ['TAG', ...this.snapshots].map((name) => `${name}  123 2026`).join('\n');
    if (command === 'delvm') this.snapshots.splice(this.snapshots.indexOf(tag), 1);
    if (command !== 'savevm') return '';
    this.#event({ event: 'STOP', timestamp: { seconds: 1, microseconds: 0 } });
    this.#event({ event: 'RESUME', timestamp: { seconds: 1, microseconds: 80_000 } });
    this.meanwhile();
    if (this.refusal === '') this.snapshots.push(tag);
    return this.refusal;
  }
  /** Lets a machine that does nothing rest for so long. */
  async rest(ms = 4000): Promise<void> {
    for (const end = this.#ms + ms; this.#ms < end; ) {
      this.#ms += 250;
      const now = { timeNs: this.#ms * 1e6, runState: 'running', contexts: [], harts: [], devices: [] };
      this.#look({ now } as unknown as BoardFrame);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  vi.useRealTimers();
});

it('keeps one snapshot, which the next visit starts from with the terminal as it was', async () => {
  bench.snapshots.push('warm-left', 'mine');
  bench.watch();
  bench.say('hello\r\nroot@here:~# ');
  await bench.rest();
  const [mine, tag] = bench.snapshots as [string, string];
  expect([mine, bench.snapshots.length]).toEqual(['mine', 2]);
  expect(bench.warm.store.getState().next).toMatchObject({ kind: 'resumes', pauseMs: 80 });
  expect(await bench.warm.plan(ARGV)).toMatchObject({
    argv: ['-loadvm', tag],
    output: 'hello\r\nroot@here:~# ',
    why: undefined,
  });
});

it('boots another machine without a word, and a changed kernel with one', async () => {
  bench.watch();
  bench.say('# ');
  await bench.rest();
  expect(await bench.warm.plan([...ARGV, '-m', '512'])).toMatchObject({ argv: [], why: undefined });
  expect(await bench.warm.plan([...ARGV, '-S'])).toMatchObject({ argv: [], why: undefined });
  bench.files['Image'] = '100 2';
  expect(await bench.warm.plan(ARGV)).toMatchObject({
    argv: [],
    why: expect.stringMatching(/^Image has changed/),
  });
  bench.enabled = false;
  expect(await bench.warm.plan(ARGV)).toMatchObject({ argv: [], why: undefined });
});

it('drops a snapshot during which somebody typed, and makes it later', async () => {
  bench.watch();
  bench.say('# ');
  bench.meanwhile = () => bench.serial.write('l');
  await bench.rest(1500);
  expect(bench.snapshots).toEqual([]);
  expect(loadWarmRecord(bench.storage)).toBeUndefined();
  bench.meanwhile = () => {};
  await bench.rest(1500);
  expect(bench.snapshots).toHaveLength(1);
});

it('says why there is none: no room, refused, no settings', async () => {
  const whys: (string | undefined)[] = [];
  for (const spoil of [
    () => (bench.room = 1000),
    () => (bench.refusal = "Error: snapshot 'warm-1' cannot be saved: there is no room left for it\n"),
    () => (bench.storage.full = true),
  ]) {
    bench = new Bench();
    spoil();
    bench.watch();
    bench.say('# ');
    await bench.rest();
    const { next } = bench.warm.store.getState();
    whys.push(next.kind === 'boots' ? next.why : next.kind);
    expect(bench.snapshots).toEqual([]);
    expect(await bench.warm.plan(ARGV)).toMatchObject({ argv: [], why: undefined });
  }
  expect(whys).toEqual([
    expect.stringMatching(/^this site may store only/),
    "snapshot 'warm-1' cannot be saved: there is no room left for it",
    'this browser keeps no settings of this site',
  ]);
});

it('makes none of a machine that starts in a way of its own, or that is gone', async () => {
  bench.watch([...ARGV, '-loadvm', 'mine']);
  bench.say('# ');
  await bench.rest();
  expect(bench.snapshots).toEqual([]);
  bench.watch()();
  await bench.rest();
  expect(bench.snapshots).toEqual([]);
});

it('a record that makes no sense counts for nothing', async () => {
  bench.storage.setItem('qcontext-playground.warm-start', '{"version":1,"tag":7}');
  expect(await bench.warm.plan(ARGV)).toMatchObject({ argv: [] });
  bench.storage.setItem('qcontext-playground.warm-start', '{');
  expect(await bench.warm.plan(ARGV)).toMatchObject({ argv: [] });
});
