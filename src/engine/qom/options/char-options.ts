import { bool, oneOf, size, str, uint } from '../property.ts';
import type { Arg, Bag } from './arg.ts';
import type { ChardevBackend, ChardevConfig, CharTarget, MonitorConfig, SocketAddress } from './config.ts';
import { parseOpts } from './opts.ts';
import { possible } from './suggest.ts';

const MUX = { mux: bool('several front ends share it', { default: false }) } as const;

/** What each `-chardev` backend takes beside `id`. */
export const CHARDEV_BACKENDS = {
  stdio: { ...MUX, signal: bool('Ctrl-C ends the machine', { default: true }) },
  vc: {
    ...MUX,
    cols: uint('accepted: the terminal has its own size', { type: 'int', max: 1000, default: undefined }),
    rows: uint('accepted', { type: 'int', max: 1000, default: undefined }),
  },
  null: MUX,
  ringbuf: {
    ...MUX,
    size: size('bytes kept, a power of 2', { default: 65536, min: 1, max: 2 ** 24, powerOf2: true }),
  },
  socket: {
    ...MUX,
    path: str('unix socket (Node)', { default: undefined }),
    host: str('address to bind (Node)', { default: undefined }),
    port: uint('TCP port (Node)', { type: 'uint16', max: 65535, default: undefined }),
    server: bool('listen', { default: false }),
    wait: bool('the machine waits for a client', { default: true }),
  },
} as const;
const BACKEND_NAMES = Object.keys(CHARDEV_BACKENDS);

/** `-chardev backend,id=…`. */
export function readChardev(bag: Bag): ChardevConfig {
  const span = bag.valueSpan('backend');
  const backend =
    bag.string('backend') ?? bag.arg.fail("Parameter 'backend' is missing", possible('', BACKEND_NAMES));
  if (!Object.hasOwn(CHARDEV_BACKENDS, backend))
    bag.arg.fail(`'${backend}' is not a valid char driver name`, possible(backend, BACKEND_NAMES), span);
  const id = bag.id('id', true);
  switch (backend as keyof typeof CHARDEV_BACKENDS) {
    case 'stdio': {
      const props = bag.table(CHARDEV_BACKENDS.stdio, 'stdio');
      return { id, mux: props.mux ?? false, backend: 'stdio', signal: props.signal ?? true };
    }
    case 'vc':
      return { id, mux: bag.table(CHARDEV_BACKENDS.vc, 'vc').mux ?? false, backend: 'vc' };
    case 'null':
      return { id, mux: bag.table(CHARDEV_BACKENDS.null, 'null').mux ?? false, backend: 'null' };
    case 'ringbuf': {
      const props = bag.table(CHARDEV_BACKENDS.ringbuf, 'ringbuf');
      return { id, mux: props.mux ?? false, backend: 'ringbuf', size: props.size ?? 65536 };
    }
    case 'socket': {
      const props = bag.table(CHARDEV_BACKENDS.socket, 'socket');
      const { path, host, port } = props;
      if ((path === undefined) === (port === undefined))
        bag.arg.fail('socket: give either path= or host= and port=');
      const address: SocketAddress['address'] =
        path !== undefined
          ? { type: 'unix', path }
          : { type: 'inet', host: host ?? '127.0.0.1', port: port ?? 0 };
      return {
        id,
        mux: props.mux ?? false,
        backend: 'socket',
        address,
        server: props.server ?? false,
        wait: props.wait ?? true,
      };
    }
  }
}

const TARGET_FORMS = [
  'stdio',
  'mon:stdio',
  'vc',
  'null',
  'none',
  'chardev:ID',
  'unix:PATH,server=on,wait=off',
  'tcp:HOST:PORT,server=on,wait=off',
];

/** What `-serial`, `-monitor` and `-qmp` name. */
export function readCharTarget(arg: Arg): CharTarget {
  const mux = arg.text.startsWith('mon:');
  const text = mux ? arg.text.slice(4) : arg.text;
  const [name = '', ...rest] = text.split(':');
  const backend = (value: ChardevBackend): CharTarget => ({ kind: 'new', mux, backend: value });
  switch (name) {
    case 'none':
      return { kind: 'none' };
    case 'stdio':
      return backend({ backend: 'stdio', signal: !mux });
    case 'vc':
      return backend({ backend: 'vc' });
    case 'null':
      return backend({ backend: 'null' });
    case 'chardev':
      return { kind: 'chardev', id: rest.join(':') };
    case 'unix':
    case 'tcp':
      return backend({ backend: 'socket', ...readSocket(arg, name, rest.join(':')) });
    default:
      return arg.fail(
        `could not connect to character backend '${text}'`,
        `Possible: ${TARGET_FORMS.join(', ')}.`,
      );
  }
}

function readSocket(arg: Arg, type: 'unix' | 'tcp', rest: string): SocketAddress {
  const opts = parseOpts(rest, 'addr');
  let server = false;
  let wait = true;
  let addr = '';
  for (const opt of opts) {
    if (opt.key === 'addr') addr = opt.value;
    else if (opt.key === 'server') server = onOff(arg, opt.key, opt.value);
    else if (opt.key === 'wait') wait = onOff(arg, opt.key, opt.value);
    else if (opt.key === 'nowait') wait = false;
    else arg.fail(`Invalid parameter '${opt.key}'`, possible(opt.key, ['server', 'wait']));
  }
  if (type === 'unix') {
    if (addr === '') arg.fail('unix: needs a path', 'For example unix:/tmp/qmp.sock,server=on,wait=off');
    return { address: { type, path: addr }, server, wait };
  }
  const match = /^(.*):(\d{1,5})$/.exec(addr);
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || port > 65535)
    return arg.fail('tcp: needs host:port', 'For example tcp:127.0.0.1:4444,server=on,wait=off');
  return {
    address: { type: 'inet', host: match[1] === '' ? '127.0.0.1' : (match[1] ?? ''), port },
    server,
    wait,
  };
}

function onOff(arg: Arg, name: string, value: string): boolean {
  const read = bool('', { default: false }).read(name, value);
  return read.ok ? read.value : arg.fail(read.error.desc);
}

export const MON_OPTION = {
  mode: oneOf('readline: people; control: QMP', ['readline', 'control'], { default: 'readline' }),
  pretty: bool('QMP in several lines', { default: false }),
} as const;

/** `-mon chardev=ID,mode=control`. */
export function readMon(bag: Bag): MonitorConfig {
  const id = bag.id('chardev', true);
  const props = bag.table(MON_OPTION, 'mon');
  return { mode: props.mode ?? 'readline', pretty: props.pretty ?? false, target: { kind: 'chardev', id } };
}
