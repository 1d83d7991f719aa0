import { describe, expect, it } from 'vitest';
import { completeCommandLine } from './complete.ts';
import { formatCommandLine } from './format.ts';
import { parseJson } from './json.ts';
import { OPTIONS } from './option-table.ts';
import { parseCommandLine } from './parse.ts';
import { quoteWord, spanInText, splitCommandLine } from './shell.ts';

/** mulberry32. */
function random(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  return { below, pick };
}

const GOOD = [
  '-object glib-qcontext,id=ctx0,threaded=yes',
  '-object iothread,id=t1,poll-max-ns=0',
  '-object throttle-group,id=g,x-bps-total=1M',
  '-drive file=disk.img,if=none,id=d0,format=raw,cache=none,aio=native',
  '-drive file=y.img,format=raw,snapshot=on,bps=1M',
  '-blockdev raw,node-name=n,file.driver=file,file.filename=q',
  '-blockdev {"driver":"null-co","node-name":"z","size":1048576}',
  '-device virtio-blk,drive=d0,context=ctx0,id=disk0,num-queues=2',
  '-device {"driver":"virtio-blk","drive":"n","num-queues":2,"iothread-vq-mapping":[{"iothread":"t1"}]}',
  '-netdev user,id=u,hostfwd=tcp::1-:2',
  '-device virtio-net,netdev=u',
  '-chardev ringbuf,id=c,size=64k',
  '-device virtio-serial',
  '-device virtconsole,chardev=c',
  '-serial null',
  '-qmp unix:/tmp/q,server=on,wait=off',
  '-m 64M',
  '-smp 2',
  '-global virtio-blk-device.queue-size=64',
  '-trace virtqueue_*',
  '-rtc base=2020-01-01',
  '-nic user,mac=52:54:00:12:34:56',
] as const;
const NOISE = [
  '',
  ',',
  ',,',
  '=',
  'on',
  '__proto__',
  'constructor',
  '{',
  '}',
  '"',
  '[',
  '0',
  '-1',
  '1e9',
  '.',
  'id',
  'é',
  '\n',
  '*',
  'help',
];

/** A command line of good options, some of them damaged. */
function argvOf(seed: number): readonly string[] {
  const { below, pick } = random(seed);
  const argv = Array.from({ length: 1 + below(6) }, () => pick(GOOD)).flatMap((line) => {
    const space = line.indexOf(' ');
    return [line.slice(0, space), line.slice(space + 1)];
  });
  for (let damage = below(3); damage > 0; damage--) {
    const at = below(argv.length);
    const word = argv[at] ?? '';
    const cut = below(word.length + 1);
    argv[at] = word.slice(0, cut) + pick(NOISE) + word.slice(cut + below(4));
  }
  if (below(8) === 0) argv.splice(below(argv.length), 1);
  return argv;
}

describe('whatever is typed', () => {
  it('an argument list is either right and reads back, or one error in its place; nothing is thrown', () => {
    const seen = { run: 0, help: 0, error: 0 };
    for (let seed = 1; seed <= 4000; seed++) {
      const argv = argvOf(seed);
      const parsed = parseCommandLine(argv);
      const where = `seed ${seed}: ${JSON.stringify(argv)}`;
      if (!parsed.ok) {
        seen.error++;
        const { argIndex, span, desc } = parsed.error;
        expect(desc, where).not.toBe('');
        expect(argIndex, where).toBeLessThan(argv.length);
        const length = argv[argIndex ?? -1]?.length ?? -1;
        const [start, end] = span ?? [-1, -1];
        expect(0 <= start && start <= end && end <= length, `${where}: ${desc} at ${start}..${end}`).toBe(
          true,
        );
      } else if (parsed.value.kind === 'run') {
        seen.run++;
        const again = parseCommandLine(formatCommandLine(parsed.value.config));
        expect(again.ok && again.value.kind === 'run' && again.value.config, where).toEqual(
          parsed.value.config,
        );
      } else seen.help++;
    }
    // The generator makes all sorts.
    expect(seen.run).toBeGreaterThan(400);
    expect(seen.error).toBeGreaterThan(1000);
  });

  it('words survive quoting and splitting', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const argv = argvOf(seed);
      const { words, unclosed } = splitCommandLine(argv.map(quoteWord).join(' '));
      expect(unclosed).toBeUndefined();
      expect(words.map((word) => word.value)).toEqual(argv);
    }
  });

  it('text can be split, placed and completed at any point', () => {
    const names = OPTIONS.map((option) => option.name);
    expect(names.length).toBe(new Set(names).size);
    for (let seed = 1; seed <= 200; seed++) {
      const { below } = random(seed);
      const text = argvOf(seed).join(below(2) === 0 ? ' ' : ' \\\n');
      const { words } = splitCommandLine(text);
      for (const [index, word] of words.entries())
        expect(spanInText(words, index)).toEqual([word.start, word.end]);
      for (let offset = 0; offset <= text.length; offset += 1 + below(7)) {
        const { span } = completeCommandLine(text, offset);
        expect(span[0] <= span[1] && span[1] <= text.length).toBe(true);
      }
    }
  });
});

describe('the JSON parser agrees with JSON.parse', () => {
  const VALID = [
    '{}',
    '[]',
    '[1,-2.5e3,true,null,"a\\u00e9\\n\\"\\\\"]',
    '{"a":{"b":[{"c":1}]},"d":" "}',
    ' 0 ',
    '"\\ud83d\\ude00"',
  ];
  const native = (text: string): unknown => {
    try {
      const value = JSON.parse(text) as unknown;
      // Half a pair is no character, as in QEMU; JavaScript would take it.
      return /\p{Surrogate}/u.test(JSON.stringify(value) + String(value)) ? undefined : { value };
    } catch {
      return undefined;
    }
  };

  it('on texts and on damaged texts', () => {
    let refused = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const { below, pick } = random(seed);
      let text: string = pick(VALID);
      for (let damage = below(3); damage > 0; damage--) {
        const cut = below(text.length + 1);
        text =
          text.slice(0, cut) +
          pick(['', ',', '"', '}', ']', '1', '.', 'e', '-', '\\', ' ', '\n', ':']) +
          text.slice(cut + below(2));
      }
      const ours = parseJson(text);
      const theirs = native(text);
      if (!ours.ok) refused++;
      expect(ours.ok ? { value: ours.value.value } : undefined, JSON.stringify(text)).toEqual(theirs);
    }
    expect(refused).toBeGreaterThan(500);
  });

  it.each([
    ["{'a':1}", 'single quotes are taken'],
    ['{"__proto__":1}', 'a key is data'],
  ])('%s: %s', (text) => {
    const parsed = parseJson(text);
    expect(parsed.ok && Object.keys(parsed.value.value as object)).toHaveLength(1);
  });

  it('a key given twice is refused, which JSON.parse would not', () => {
    expect(parseJson('{"a":1,"a":2}')).toMatchObject({
      ok: false,
      error: { message: 'duplicate key', offset: 7 },
    });
  });
});
