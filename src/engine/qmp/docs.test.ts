import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../qom/options/option-table.ts';
import { DEVICE_TABLES, OBJECT_TABLES } from '../qom/types/type-registry.ts';
import { HMP_COMMANDS } from './hmp/hmp-commands.ts';
import { INFO_COMMANDS } from './hmp/info.ts';
import { startMonitor } from './testing.ts';

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

/** Everything in backticks, cut into words. */
const mentioned = (text: string): Set<string> =>
  new Set(
    [...text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/`([^`]+)`/g)].flatMap((match) =>
      (match[1] ?? '').split(/[\s,=|]+/),
    ),
  );

describe('the documentation names everything there is', () => {
  it('docs/command-line.md: options and properties', () => {
    const words = mentioned(read('command-line.md'));
    const properties = [...Object.values(DEVICE_TABLES), ...Object.values(OBJECT_TABLES)]
      .flatMap((table) => Object.keys(table))
      .filter((name) => !/^x-(bps|iops)-|^(filename|opened)$/.test(name));
    const names = [...OPTIONS.map((option) => `-${option.name}`), ...properties];
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });

  it('docs/monitor.md: commands, and no others', async () => {
    const text = read('monitor.md');
    const words = mentioned(text);
    const { monitor } = await startMonitor();
    const reply = await monitor.execute('query-commands');
    const commands = reply.ok ? (reply.value as { name: string }[]).map(({ name }) => name) : [];
    const hmp = [...HMP_COMMANDS, ...INFO_COMMANDS].map(({ names }) => names[0] ?? '');
    expect([...commands, ...hmp].filter((name) => !words.has(name))).toEqual([]);
    const table = text.slice(text.indexOf('## Commands'), text.indexOf('Events:'));
    const rows = [...table.matchAll(/^\| (`.*?`) \|/gm)].map((row) => row[1] ?? '').join(' ');
    const inTable = [...mentioned(rows)].filter((name) => name !== '');
    expect(inTable.length).toBeGreaterThan(30);
    expect(inTable.filter((name) => !commands.includes(name))).toEqual([]);
  });
});
