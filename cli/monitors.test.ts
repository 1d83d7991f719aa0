import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommandLine, type Vm } from '../src/engine/index.ts';
import { monitorOnStdio, serveMonitors, waitsForMonitor } from './monitors.ts';

function config(text: string) {
  const parsed = parseCommandLine(text.split(' '));
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error(`not a machine: ${text}`);
  return parsed.value.config;
}

describe('which monitor gets stdin and stdout', () => {
  it.each([
    ['-qmp stdio', true],
    ['-monitor stdio', true],
    ['-monitor mon:stdio', false],
    ['-qmp unix:/tmp/q,server=on,wait=off', false],
    ['-chardev stdio,id=c -mon chardev=c,mode=control', true],
    ['-monitor null', false],
  ])('%s: %s', (text, alone) => {
    expect(monitorOnStdio(config(text))).toBe(alone);
  });
});

describe('whom the guest waits for', () => {
  it.each([
    ['-qmp unix:/tmp/q,server=on,wait=off', false],
    ['-qmp unix:/tmp/q,server=on,wait=on', true],
    ['-qmp tcp:127.0.0.1:4444,server=on,wait=off -monitor unix:/tmp/m,server=on,wait=on', true],
    ['-qmp stdio', false],
  ])('%s: %s', (text, waits) => {
    expect(waitsForMonitor(config(text))).toBe(waits);
  });
});

describe('monitors that can not be served', () => {
  it('are refused by name, and those served before are closed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'monitors-'));
    const first = join(folder, 'q');
    const asked = config(
      `-qmp unix:${first},server=on,wait=off -qmp unix:/no/such/folder/q,server=on,wait=off`,
    );
    const vm = { onEvent: () => () => {} } as unknown as Vm;
    const served = await serveMonitors(asked, vm);
    expect(served).toMatchObject({
      ok: false,
      error: { desc: expect.stringContaining('/no/such/folder') as string },
    });
    const connected = await new Promise((resolve) => {
      const socket = connect(first, () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
    });
    rmSync(folder, { recursive: true });
    expect(connected).toBe(false);
  });
});
