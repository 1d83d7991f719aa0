import { expect, it } from 'vitest';
import { EARLY_OUTPUT_BYTES, TerminalOutput } from './terminal-output.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function listening(output: TerminalOutput, id: string): { heard: string[]; stop: () => void } {
  const heard: string[] = [];
  const stop = output.listen(id, (data) => heard.push(new TextDecoder().decode(data)));
  return { heard, stop };
}

it('hands the first listener what was written before it, after the call, and then what comes', async () => {
  const output = new TerminalOutput();
  output.write('serial0', bytes('early'));
  output.write('serial1', bytes('elsewhere'));
  const first = listening(output, 'serial0');
  expect(first.heard).toEqual([]);
  await Promise.resolve();
  const second = listening(output, 'serial0');
  await Promise.resolve();
  output.write('serial0', bytes('now'));
  expect(first.heard).toEqual(['early', 'now']);
  expect(second.heard).toEqual(['now']);
});

it('hands nothing to a listener that has left, not even what was kept', async () => {
  const output = new TerminalOutput();
  output.write('serial0', bytes('early'));
  const { heard, stop } = listening(output, 'serial0');
  stop();
  await Promise.resolve();
  output.write('serial0', bytes('late'));
  expect(heard).toEqual([]);
});

it('keeps no more than its limit for a terminal nobody looks at', async () => {
  const output = new TerminalOutput();
  output.write('serial0', new Uint8Array(EARLY_OUTPUT_BYTES - 1));
  output.write('serial0', new Uint8Array(2));
  const sizes: number[] = [];
  output.listen('serial0', ({ length }) => sizes.push(length));
  await Promise.resolve();
  expect(sizes).toEqual([EARLY_OUTPUT_BYTES - 1]);
});
