import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bareMetalFiles, withFolder, within } from './machine.ts';
import { dial, type Json, type Program, QmpClient, start } from './qmp-client.ts';
import { MESSAGES } from './qmp-messages.ts';

const QEMU = 'qemu-system-riscv64';
const VM = fileURLToPath(new URL('../../build/node/vm.js', import.meta.url));
const MACHINE = ['-machine', 'virt', '-S', '-nodefaults', '-display', 'none'];

const hasQemu = spawnSync(QEMU, ['--version']).status === 0;

/** Our machine, built-in guest, stopped. */
function startOurs(folder: string, args: readonly string[]): Program {
  const { kernel } = bareMetalFiles(folder);
  return start(process.execPath, ['--no-warnings', VM, ...MACHINE, '-kernel', kernel, ...args]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const errorOf = (answer: Json | undefined): { class: string; desc: string } | undefined =>
  answer?.['error'] as { class: string; desc: string } | undefined;

/** Of a text that is not JSON, QEMU reports the rest of its line once more, as often as something in it is wrong. */
function compared(answers: readonly Json[]): readonly Json[] {
  const first = answers.findIndex((answer) => errorOf(answer)?.desc.startsWith('JSON parse error') === true);
  return first < 0 ? answers : answers.slice(0, first + 1);
}

describe('QMP', () => {
  it.skipIf(!hasQemu)(
    hasQemu
      ? 'answers every message as QEMU does'
      : `answers as QEMU does: skipped, there is no ${QEMU} here`,
    () =>
      withFolder(async (folder) => {
        const [path, theirPath] = [join(folder, 'ours.sock'), join(folder, 'qemu.sock')];
        const iothread = ['-object', 'iothread,id=io0'];
        const ours = startOurs(folder, [...iothread, '-qmp', `unix:${path},server=on,wait=off`]);
        const qemu = start(QEMU, [...MACHINE, ...iothread, '-qmp', `unix:${theirPath},server=on,wait=off`]);
        try {
          const [{ client: us }, { client: them }] = [await dial(path), await dial(theirPath)];
          const [ourGreeting, greeting] = [await us.line(), await them.line()];
          const version = (greeting['QMP'] as { version: { qemu: { major: number } } }).version;
          const shape = (value: unknown): unknown =>
            typeof value === 'object' && value !== null && !Array.isArray(value)
              ? Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shape(of)]))
              : typeof value;
          expect(shape(ourGreeting)).toEqual(shape(greeting));
          for (const { name, text, differs } of MESSAGES) {
            const expected = compared(await them.ask(text));
            const answers = compared(await us.ask(text));
            if (differs === undefined) {
              expect(answers, name).toEqual(expected);
            } else {
              expect(answers.length, name).toBeGreaterThan(0);
              // What we know of is QEMU 7.2: a difference there is none of any more is not to be kept on the list.
              if (version.qemu.major === 7) expect(answers, name).not.toEqual(expected);
              const errors = [errorOf(answers[0])?.class, errorOf(expected[0])?.class];
              if (errors.every((cls) => cls !== undefined)) expect(errors[0], name).toBe(errors[1]);
            }
          }
        } finally {
          await Promise.all([ours.stop(), qemu.stop()]);
        }
      }),
    120_000,
  );

  it('on tcp: two clients in turn, one that leaves in the middle of a command, half a line', () =>
    withFolder(async (folder) => {
      const port = await freePort();
      const machine = startOurs(folder, ['-qmp', `tcp:127.0.0.1:${port},server=on,wait=off`]);
      try {
        const first = await dial(port);
        expect(await first.client.line()).toHaveProperty('QMP');
        first.client.send('{"execute":"qmp_capabilities"}{"execute":"human-monitor-command","argu');
        expect(await first.client.line()).toEqual({ return: {} });
        first.socket.destroy();

        // The next one begins anew: what the other left is not in its way.
        const second = await dial(port);
        expect(await second.client.line()).toHaveProperty('QMP');
        expect(errorOf((await second.client.ask('{"execute":"query-status"}'))[0])?.class).toBe(
          'CommandNotFound',
        );
        for (const part of ['{"execute":"qmp_', 'capabilities"', '}']) {
          second.client.send(part);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect(await second.client.line()).toEqual({ return: {} });
        expect(await second.client.ask('{"execute":"query-status"}')).toMatchObject([
          { return: { running: false } },
        ]);

        // A command in progress when its client leaves is carried out, and nobody is told.
        second.client.send('{"execute":"object-add","arguments":{"qom-type":"iothread","id":"io9"}}');
        second.socket.end();
        await once(second.socket, 'close');
        const third = await dial(port);
        await third.client.line();
        expect(await third.client.ask('{"execute":"qmp_capabilities"}')).toEqual([{ return: {} }]);
        expect(JSON.stringify(await third.client.ask('{"execute":"query-iothreads"}'))).toContain('"io9"');
        third.client.send('{"execute":"quit"}');
        await within(once(machine.child, 'exit'), 20_000, 'quit');
        expect(machine.child.exitCode).toBe(0);
      } finally {
        await machine.stop();
      }
    }));

  it('on stdio: the same wire', () =>
    withFolder(async (folder) => {
      const machine = startOurs(folder, ['-qmp', 'stdio', '-serial', 'null']);
      try {
        const client = new QmpClient(machine.child.stdout, machine.child.stdin);
        expect(await client.line()).toHaveProperty('QMP');
        expect(await client.ask('{"execute":"qmp_capabilities"}')).toEqual([{ return: {} }]);
        client.send('{"execute":"query-na');
        await new Promise((resolve) => setTimeout(resolve, 50));
        client.send('me","id":"halves"}');
        expect(await client.line()).toEqual({ id: 'halves', return: {} });
        expect(errorOf((await client.ask('}}}'))[0])?.desc).toContain('JSON parse error');
        expect(await client.ask('{"execute":"query-status","id":[1]}')).toMatchObject([
          { id: [1], return: { running: false } },
        ]);
        client.send('{"execute":"quit"}\n');
        // As from QEMU's stdio: the event comes before the answer.
        expect(await client.line()).toMatchObject({ event: 'SHUTDOWN', data: { reason: 'host-qmp-quit' } });
        expect(await client.line()).toEqual({ return: {} });
        await within(once(machine.child, 'exit'), 20_000, 'quit');
        expect(machine.child.exitCode).toBe(0);
        expect(machine.stderr()).toBe('');
      } finally {
        await machine.stop();
      }
    }));
});
