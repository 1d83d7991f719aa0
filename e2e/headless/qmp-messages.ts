/** Messages to a QMP monitor, good and bad, and where an answer is not to be QEMU's. */
export interface Message {
  readonly name: string;
  /** What is sent, without its line end. A Buffer where it is no text. */
  readonly text: string | Buffer;
  /** Why ours differs from QEMU's answer on purpose; the class must be the same all the same. */
  readonly differs?: string;
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const call = (execute: string, args?: unknown): string =>
  JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }) });
const withId = (id: string): string => `{"execute":"query-name","id":${id}}`;
const raw = (text: string): Buffer => Buffer.from(text, 'latin1');

const NAMES_VALUE = 'ours names the value that was given, the same words as on the command line';
const NAMES_TYPE = 'ours names the type that lacks the property, the same words as on the command line';
const ONE_BYTE = 'bytes that are no UTF-8 are replaced before they are parsed, as everywhere in JavaScript';
const POSSIBLE = 'ours says what is possible';

/** In this order, before negotiation. `io0` is an iothread, there is nothing else. */
export const MESSAGES: readonly Message[] = [
  { name: 'before negotiation', text: call('query-status') },
  { name: 'enable is no list', text: call('qmp_capabilities', { enable: 'oob' }) },
  { name: 'enable of a number', text: call('qmp_capabilities', { enable: [1] }) },
  {
    name: 'a capability there is not',
    text: call('qmp_capabilities', { enable: ['nope'] }),
    differs: "QEMU 7.2 names the parameter 'null'",
  },
  { name: 'an argument there is not', text: call('qmp_capabilities', { foo: 1 }) },
  { name: 'negotiation', text: call('qmp_capabilities') },
  { name: 'negotiation again', text: call('qmp_capabilities') },
  // Ids come back as they are.
  { name: 'id 1', text: withId('1') },
  { name: 'id -7.5', text: withId('-7.5') },
  { name: 'id 1e3', text: withId('1e3') },
  { name: 'id string', text: withId('"x"') },
  { name: 'id null', text: withId('null') },
  { name: 'id true', text: withId('true') },
  { name: 'id list', text: withId('[1,{"a":2}]') },
  { name: 'id object', text: withId('{"b":1,"a":[]}') },
  { name: 'id unicode', text: withId('"\\u00e9\\ud83d\\ude00é😀"') },
  { name: 'id of control characters', text: withId('"a\\n\\t\\u0001\\u007f\\u2028\\u0000"') },
  { name: 'id of 1,000 lists', text: withId(nested(1000)) },
  { name: 'id of 1,023 lists', text: withId(nested(1023)) },
  // Numbers are doubles here: this comes back as the nearest one, which a client that has doubles too can't tell.
  { name: 'id beyond 2^53', text: withId('18446744073709551615') },
  // Not commands.
  { name: 'no object: list', text: '[]' },
  { name: 'no object: number', text: '5' },
  { name: 'no object: string', text: '"x"' },
  { name: 'no object: true', text: 'true' },
  { name: 'no object: null', text: 'null' },
  { name: 'empty object', text: '{}' },
  { name: 'execute is a number', text: '{"execute":5}' },
  { name: 'execute is null', text: '{"execute":null}' },
  { name: 'no execute, but an id', text: '{"id":9}' },
  { name: 'arguments are a list', text: '{"execute":"query-name","arguments":[]}' },
  { name: 'arguments are null', text: '{"execute":"query-name","arguments":null}' },
  { name: 'arguments are a string', text: '{"execute":"query-name","arguments":"x","id":3}' },
  { name: 'a member there is not', text: '{"execute":"query-name","foo":1,"id":3}' },
  { name: 'exec-oob', text: '{"exec-oob":"query-name","id":4}' },
  { name: 'exec-oob and execute', text: '{"exec-oob":"query-name","execute":"query-name"}' },
  { name: 'unknown command', text: '{"execute":"no-such-command","id":5}' },
  { name: 'command without a name', text: '{"execute":""}' },
  // Not JSON.
  { name: 'single quotes', text: "{'execute':'query-name','id':'q'}" },
  { name: 'trailing comma', text: '{"execute":"query-name",}' },
  { name: 'no colon', text: '{"execute" "query-name"}' },
  { name: 'no comma', text: '{"execute":"query-name" "id":1}' },
  { name: 'no comma in a list', text: withId('[1 2]') },
  { name: 'a word in between', text: '{"execute":"query-name" garbage}' },
  { name: 'key twice', text: '{"execute":"query-name","id":1,"id":2}' },
  { name: 'key without quotes', text: '{execute:"query-name"}' },
  { name: 'key is a number', text: '{1:2}' },
  { name: 'stray brace', text: '}' },
  { name: 'stray bracket', text: ']' },
  { name: 'bracket for brace', text: '{"a":]}' },
  { name: 'bracket for colon', text: '{"a"]' },
  { name: 'bracket closes an object', text: '{"a":1]' },
  { name: 'half a word', text: 'nul' },
  { name: 'leading zero', text: withId('01') },
  { name: 'plus', text: withId('+1') },
  { name: 'dot first', text: withId('.5') },
  { name: 'NaN', text: withId('NaN') },
  { name: 'percent', text: withId('%s') },
  { name: 'escape there is not', text: withId('"\\q"') },
  { name: 'half a surrogate pair', text: withId('"\\ud800"') },
  {
    name: 'control character in a string',
    text: withId('"a\u0001b"'),
    differs: 'ours says what is stray, not the string up to there',
  },
  { name: 'words after a command', text: '{"execute":"query-name"} x' },
  { name: 'no UTF-8', text: raw('\xff') },
  { name: 'no UTF-8 in a string', text: raw(withId('"\xff"')), differs: ONE_BYTE },
  { name: 'UTF-8 too long for its character', text: raw(withId('"\xc0\x80"')), differs: ONE_BYTE },
  {
    name: 'byte order mark',
    text: '\ufeff{"execute":"query-name"}',
    differs: 'ours takes the command behind it',
  },
  // Arguments.
  { name: 'unexpected argument', text: call('query-name', { foo: 1 }) },
  {
    name: 'two unexpected arguments',
    text: call('query-name', { foo: 1, bar: 2 }),
    differs: 'ours names the first, QEMU one by hash',
  },
  { name: 'missing argument', text: call('qom-get', { path: '/machine' }) },
  { name: 'both missing', text: call('qom-get') },
  { name: 'a number for a string', text: call('qom-get', { path: 5, property: 'x' }) },
  { name: 'null for a string', text: call('qom-get', { path: null, property: 'x' }) },
  { name: 'no such path', text: call('qom-get', { path: '/nope', property: 'x' }) },
  { name: 'no such property', text: call('qom-get', { path: '/objects/io0', property: 'nope' }) },
  { name: 'property', text: call('qom-get', { path: '/objects/io0', property: 'poll-max-ns' }) },
  {
    name: 'a string for an integer property',
    text: call('qom-set', { path: '/objects/io0', property: 'poll-max-ns', value: 'x' }),
    differs: NAMES_VALUE,
  },
  {
    name: 'a value out of range',
    text: call('qom-set', { path: '/objects/io0', property: 'poll-max-ns', value: -1 }),
    differs: NAMES_VALUE,
  },
  { name: 'no value', text: call('qom-set', { path: '/objects/io0', property: 'poll-max-ns' }) },
  { name: 'no such list', text: call('qom-list', { path: '/nope' }) },
  { name: 'object: id taken', text: call('object-add', { 'qom-type': 'iothread', id: 'io0' }) },
  { name: 'object: no such type', text: call('object-add', { 'qom-type': 'nope', id: 'x1' }) },
  { name: 'object: no id', text: call('object-add', { 'qom-type': 'iothread' }) },
  { name: 'object: no type', text: call('object-add', { id: 'x1' }) },
  { name: 'object: no identifier', text: call('object-add', { 'qom-type': 'iothread', id: '1x' }) },
  {
    name: 'object: no such property',
    text: call('object-add', { 'qom-type': 'iothread', id: 'x1', nope: 1 }),
    differs: NAMES_TYPE,
  },
  { name: 'object', text: call('object-add', { 'qom-type': 'iothread', id: 'x1' }) },
  { name: 'object gone', text: call('object-del', { id: 'x1' }) },
  { name: 'object gone already', text: call('object-del', { id: 'x1' }) },
  { name: 'no such driver', text: call('device_add', { driver: 'nope' }) },
  { name: 'no driver', text: call('device_add', {}) },
  { name: 'no such device', text: call('device_del', { id: 'nope' }) },
  { name: 'no such block driver', text: call('blockdev-add', { driver: 'nope', 'node-name': 'n1' }) },
  { name: 'block node', text: call('blockdev-add', { driver: 'null-co', 'node-name': 'n1' }) },
  { name: 'block node, again', text: call('blockdev-add', { driver: 'null-co', 'node-name': 'n1' }) },
  {
    name: 'block node: no such option',
    text: call('blockdev-add', { driver: 'null-co', 'node-name': 'n2', foo: 1 }),
    differs: NAMES_TYPE,
  },
  { name: 'block node gone', text: call('blockdev-del', { 'node-name': 'n1' }) },
  { name: 'block node gone already', text: call('blockdev-del', { 'node-name': 'n1' }) },
  {
    name: 'iothread of no node',
    text: call('x-blockdev-set-iothread', { 'node-name': 'nope', iothread: 'io0' }),
  },
  { name: 'iothread not given', text: call('x-blockdev-set-iothread', { 'node-name': 'nope' }) },
  { name: 'no such trace event', text: call('trace-event-get-state', { name: 'nope' }) },
  { name: 'no such class', text: call('qom-list-properties', { typename: 'nope' }) },
  { name: 'no such device class', text: call('device-list-properties', { typename: 'nope' }) },
  { name: 'not a device class', text: call('device-list-properties', { typename: 'iothread' }) },
  { name: 'no such chardev', text: call('chardev-remove', { id: 'nope' }) },
  { name: 'no such netdev', text: call('netdev_del', { id: 'nope' }) },
  { name: 'no such link', text: call('set_link', { name: 'nope', up: true }) },
  { name: 'no such ring buffer', text: call('ringbuf-read', { device: 'nope', size: 5 }) },
  { name: 'no such virtio device', text: call('x-query-virtio-status', { path: '/nope' }) },
  { name: 'HMP', text: call('human-monitor-command', { 'command-line': 'info status' }) },
  { name: 'HMP not given', text: call('human-monitor-command') },
  {
    name: 'HMP there is not',
    text: call('human-monitor-command', { 'command-line': 'x' }),
    differs: POSSIBLE,
  },
  { name: 'the connection lives', text: withId('"end"') },
];
