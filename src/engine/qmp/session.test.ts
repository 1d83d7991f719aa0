import { describe, expect, it } from 'vitest';
import { HmpConsole } from './hmp/console.ts';
import { QmpSession } from './session.ts';
import { connect, DISK, startMonitor } from './testing.ts';

const generic = (desc: string) => ({ error: { class: 'GenericError', desc } });

/** A negotiated connection. */
async function ready() {
  const started = await startMonitor();
  const connection = connect(started.monitor);
  await connection.send('{"execute":"qmp_capabilities"}');
  return { ...started, ...connection };
}

describe('the wire format', () => {
  it('greets, wants negotiation, takes it once', async () => {
    const { monitor } = await startMonitor();
    const { send, lines, raw } = connect(monitor);
    expect(lines).toEqual([
      {
        QMP: {
          version: { qemu: { major: 0, minor: 1, micro: 0 }, package: 'QContext Playground 0.1.0' },
          capabilities: [],
        },
      },
    ]);
    expect(raw[0]).toMatch(/^\{[^\n]*\}\r\n$/);
    expect(await send('{"execute":"query-status"}')).toEqual([
      {
        error: {
          class: 'CommandNotFound',
          desc: "Expecting capabilities negotiation with 'qmp_capabilities'",
        },
      },
    ]);
    expect(await send('{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}')).toEqual([
      generic('Capability oob not available'),
    ]);
    expect(await send('{"execute":"qmp_capabilities","id":0}')).toEqual([{ id: 0, return: {} }]);
    expect(await send('{"execute":"qmp_capabilities"}')).toEqual([
      {
        error: {
          class: 'CommandNotFound',
          desc: 'Capabilities negotiation is already complete, command ignored',
        },
      },
    ]);
  });

  it.each([
    ['"text"', '"text"'],
    ['null', 'null'],
    ['{"a":[1]}', '{"a":[1]}'],
  ])('the id %s comes back as it is', async (id, back) => {
    const { send } = await ready();
    const [reply] = await send(`{"execute":"query-name","id":${id}}`);
    expect(JSON.stringify(reply?.['id'])).toBe(back);
  });

  it.each([
    // What QEMU 7.2 says to the same input, word for word, except where it has a capability that we have not.
    ['[1]', generic('QMP input must be a JSON object')],
    ['"x"\n', generic('QMP input must be a JSON object')],
    ['5\n', generic('QMP input must be a JSON object')],
    ['{"foo":1}', generic("QMP input member 'foo' is unexpected")],
    ['{}', generic("QMP input lacks member 'execute'")],
    ['{"execute":5}', generic("QMP input member 'execute' must be a string")],
    ['{"execute":"stop","arguments":[]}', generic("QMP input member 'arguments' must be an object")],
    ['{"execute":"query-status","foo":1}', generic("QMP input member 'foo' is unexpected")],
    ['{"execute":"query-status","arguments":{"x":1}}', generic("Parameter 'x' is unexpected")],
    [
      '{"execute":"foo","id":1}',
      { id: 1, error: { class: 'CommandNotFound', desc: 'The command foo has not been found' } },
    ],
    [
      '{"execute":"qom-set","arguments":{"path":"/machine"},"id":2}',
      { id: 2, ...generic("Parameter 'property' is missing") },
    ],
    [
      '{"execute":"qom-get","arguments":{"path":3,"property":"x"}}',
      generic("Invalid parameter type for 'path', expected: string"),
    ],
    [
      '{"execute":"qom-list","arguments":{"path":"/nope"}}',
      { error: { class: 'DeviceNotFound', desc: "Device '/nope' not found" } },
    ],
    [
      '{"execute":"qom-get","arguments":{"path":"/machine","property":"nope"}}',
      generic("Property 'virt-machine.nope' not found"),
    ],
    [
      '{"execute":"object-add","arguments":{"qom-type":"iothread","id":"t1"}}',
      generic("attempt to add duplicate property 't1' to object (type 'container')"),
    ],
    [
      '{"execute":"object-add","arguments":{"qom-type":"iothread","id":"t9","poll-max-ns":true}}',
      generic("Invalid parameter type for 'poll-max-ns', expected: integer"),
    ],
    [
      '{"execute":"object-add","arguments":{"qom-type":"bogus","id":"t9"}}',
      generic("Parameter 'qom-type' does not accept value 'bogus'"),
    ],
    ['{"execute":"object-del","arguments":{"id":"zz"}}', generic("object 'zz' not found")],
    [
      '{"execute":"device_del","arguments":{"id":"zz"}}',
      { error: { class: 'DeviceNotFound', desc: "Device 'zz' not found" } },
    ],
    [
      '{"execute":"device_add","arguments":{"driver":"zz"}}',
      generic("'zz' is not a valid device model name"),
    ],
    ['{"execute":"device_add","arguments":{}}', generic("Parameter 'driver' is missing")],
    [
      '{"execute":"human-monitor-command","arguments":{"command-line":"info status"}}',
      { return: 'VM status: running\r\n' },
    ],
    ["{'execute':'query-name'}", { return: { name: 'box' } }],
    [
      '{"exec-oob":"query-status","id":3}',
      {
        id: 3,
        ...generic("QMP input member 'exec-oob' is unexpected"),
      },
    ],
    ['{"execute":"query-status" garbage}', generic('JSON parse error, expected separator in dict')],
    ['{"execute":"query-status","execute":"stop"}', generic('JSON parse error, duplicate key')],
    ['{"execute":"query-name","id":tru}', generic("JSON parse error, invalid keyword 'tru'")],
  ])('%s', async (input, expected) => {
    const { send } = await ready();
    expect(await send(input)).toEqual([expected]);
    // The connection lives.
    expect(await send('{"execute":"query-name"}')).toEqual([{ return: { name: 'box' } }]);
  });

  it('commands run one after another, and are answered in order', async () => {
    const { send, machine } = await ready();
    const move = (to: string, id: number) =>
      JSON.stringify({ execute: 'qom-set', arguments: { path: DISK, property: 'context', value: to }, id });
    const replies = await send(`${move('t1', 1)}${move('main', 2)}{"execute":"query-name","id":3}`);
    expect(replies.filter((reply) => 'id' in reply).map((reply) => reply['id'])).toEqual([1, 2, 3]);
    expect(machine.calls).toEqual([`moveDevice ${DISK} * ctx0 -> t1`, `moveDevice ${DISK} * t1 -> main`]);
  });

  it('events go to every negotiated session, and to no other', async () => {
    const { monitor, machine, lines } = await ready();
    const second = connect(monitor);
    const third = connect(monitor);
    await third.send('{"execute":"qmp_capabilities"}');
    const before = lines.length;
    machine.emit('BLOCK_IO_ERROR', { device: 'd0' });
    const event = {
      timestamp: { seconds: 1, microseconds: 2 },
      event: 'BLOCK_IO_ERROR',
      data: { device: 'd0' },
    };
    expect(lines.slice(before)).toEqual([event]);
    expect(second.lines).toHaveLength(1);
    expect(third.lines.at(-1)).toEqual(event);
    third.session.close();
    machine.emit('STOP');
    expect(third.lines.at(-1)).toEqual(event);
  });

  it("the object model's events carry the wall clock", async () => {
    const { send } = await ready();
    const lines = await send(
      '{"execute":"device_add","arguments":{"driver":"virtio-rng","id":"r"}}{"execute":"device_del","arguments":{"id":"r"}}',
    );
    expect(lines).toEqual([
      { return: {} },
      {
        timestamp: { seconds: 1_700_000_000, microseconds: 123_456 },
        event: 'DEVICE_DELETED',
        data: { device: 'r', path: '/machine/peripheral/r' },
      },
      { return: {} },
    ]);
  });

  it('quit is answered before the machine goes', async () => {
    const { monitor, machine } = await startMonitor();
    const order: string[] = [];
    const session = new QmpSession(monitor, (line) =>
      order.push(Object.keys(JSON.parse(line) as object)[0] ?? ''),
    );
    machine.quit = async () => {
      order.push('gone');
      return { ok: true, value: undefined };
    };
    await session.receive('{"execute":"qmp_capabilities"}{"execute":"quit"}');
    expect(order).toEqual(['QMP', 'return', 'return', 'gone']);
  });

  it('a bug in a command is answered, told to the transport, and ends nothing', async () => {
    const { session, send, machine } = await ready();
    machine.stop = () => Promise.reject(new Error('oops'));
    await expect(session.receive('{"execute":"stop"}')).rejects.toThrow('oops');
    expect(await send('{"execute":"query-name"}')).toEqual([{ return: { name: 'box' } }]);
  });

  it('pretty is the same over several lines', async () => {
    const { monitor } = await startMonitor();
    const lines: string[] = [];
    const session = new QmpSession(monitor, (line) => lines.push(line), true);
    await session.receive('{"execute":"qmp_capabilities"}');
    expect(lines[1]).toBe('{\n    "return": {}\n}\r\n');
  });
});

describe('a monitor on a terminal', () => {
  async function terminal() {
    const { monitor, machine } = await startMonitor();
    let screen = '';
    const tty = new HmpConsole(monitor, (text) => {
      screen += text;
    });
    const type = async (text: string) => {
      screen = '';
      await tty.receive(text);
      return screen;
    };
    return { type, machine, banner: screen };
  }

  it('prompts, echoes, answers', async () => {
    const { type, banner } = await terminal();
    expect(banner).toMatch(/monitor - type 'help' for more information\r\n\(vm\) $/);
    expect(await type('info status\r')).toBe('info status\r\nVM status: running\r\n(vm) ');
  });

  it('edits: backspace, Ctrl-U, Ctrl-W, Ctrl-C', async () => {
    const { type } = await terminal();
    expect(await type('info statuz\x7fs\r')).toContain('VM status: running');
    expect(await type('nonsense\x15info status\r')).toContain('VM status: running');
    expect(await type('info nonsense\x17status\r')).toContain('VM status: running');
    expect(await type('quit\x03')).toMatch(/\^C\r\n\(vm\) $/);
    expect(await type('\r')).toBe('\r\n(vm) ');
  });

  it('history with the arrows', async () => {
    const { type } = await terminal();
    await type('info name\rinfo status\r');
    expect(await type('\x1b[A\x1b[A\r')).toContain('box');
    expect(await type('\x1b[A\x1b[A\x1b[A\x1b[B\r')).toContain('VM status');
    // Other keys' sequences leave nothing behind.
    expect(await type('\x1b[1;5Cinfo name\r')).toContain('box');
  });

  it('completes with Tab', async () => {
    const { type } = await terminal();
    expect(await type('info stat\t')).toContain('(vm) info status ');
    await type('\x15');
    expect(await type('qom-set /machine/peripheral/disk0 context ct\t\r')).toContain(
      'qom-set /machine/peripheral/disk0 context ctx0 ',
    );
    expect(await type('syst\t\t')).toContain('system_powerdown  system_reset');
  });
});
