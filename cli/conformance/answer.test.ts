import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ScenarioStream } from './answer.ts';
import { addLong, atoi, atoll } from './c-numbers.ts';
import { generateScenario } from './generator.ts';
import { Scenario } from './scenario.ts';

describe('conformance:glib', () => {
  it('answers each scenario as soon as it is complete, however the input is cut', () => {
    const stream = new ScenarioStream();
    expect(stream.feed('do iter 0\n--')).toBe('');
    const first = 'iter> 0\npoll to=0 t=1000000 W\niter< 0\nEND t=1000000\n---\n';
    expect(stream.feed('-\ndo ti')).toBe(first);
    expect(stream.feed('ck 5\n---\n---\n')).toBe('END t=1000005\n---\nEND t=1000000\n---\n');
    expect(stream.feed('do tick 7')).toBe('');
    expect(stream.end()).toBe('END t=1000007\n---\n');
    expect(stream.end()).toBe('');
  });

  it('reads numbers as C does', () => {
    expect(['12', '-3', '+4', ' 5x', 'x', '', '4294967295', '99999999999999999999'].map(atoi)).toEqual([
      12, -3, 4, 5, 0, 0, -1, -1,
    ]);
    expect(atoll('9000000000000')).toBe(9e12);
    expect([addLong(1e6, '5'), addLong(1e6, '9223372036854775807')]).toEqual([
      1_000_005,
      -(2 ** 63) + 999_999,
    ]);
  });

  it('ends the answer where GLib would abort', () => {
    const run = new Scenario();
    const trace = run.run(['idle A 0', 'on A 1 dispatch', 'do attach A', 'do iter 0']);
    expect(trace.at(-1)).toBe('dispatch>');
    expect(run.crash).toBeInstanceOf(Error);
  });

  it('tells a child from its parent as libglib does', () => {
    const file = new URL('seeds/child-order-and-inheritance.scenario', import.meta.url);
    const trace = new Scenario().run(readFileSync(file, 'utf8').split('\n'));
    const dispatched = trace.filter((line) => line.startsWith('d ')).map((line) => line.split(' ')[1]);
    expect(dispatched.slice(0, 4)).toEqual(['G', 'C2', 'C1', 'P']);
  });
});

describe('the generator', () => {
  it('gives the same scenario for the same seed', () => {
    expect(generateScenario(7)).toEqual(generateScenario(7));
    expect(generateScenario(7)).not.toEqual(generateScenario(8));
  });

  it('comes across every operation and every kind of source', () => {
    const words = new Set(
      Array.from({ length: 500 }, (_, seed) => generateScenario(seed))
        .flat()
        .map((line) => {
          const [verb, first, , third] = line.split(' ');
          return verb === 'do' ? first : verb === 'on' ? third : verb;
        }),
    );
    const operations =
      'attach destroy unref prio ready recurse child unchild addfd modfd rmfd fd setprep setchk ' +
      'tick wakeup iter pending prepare query poll check dispatch';
    expect(words).toEqual(new Set([...operations.split(' '), 'src', 'idle', 'timeout']));
  });
});
