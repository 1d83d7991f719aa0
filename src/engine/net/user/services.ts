import { ascii, asText } from '../bytes.ts';

/** Bytes a guest may have sent to `echo` that it has not taken back yet. */
const ECHO_BUFFER = 32 * 1024;
/** Longest request line and headers we read. */
const REQUEST_MAX = 8 * 1024;
/** Longest `/bytes/N`. */
const BYTES_MAX = 2 ** 40;

/**
 * What a TCP service remembers of one connection; plain data. A service produces a stream that is a function
 * of this state, so that any part of it can be sent again.
 */
export type ServiceState =
  /** Discard (RFC 863). */
  | { readonly kind: 'discard' }
  /** Character generator (RFC 864): lines without end. */
  | { readonly kind: 'chargen' }
  /** Echo (RFC 862): `start` is the stream offset of the first byte kept. */
  | { readonly kind: 'echo'; start: number; kept: Uint8Array<ArrayBuffer> }
  /** HTTP/1.0: one request, one response. */
  | { readonly kind: 'http'; request: string; response: HttpResponse | undefined };

export interface HttpResponse {
  /** Status line and headers, and the body if it is text. */
  readonly text: string;
  /** Bytes of pattern that follow. */
  readonly pattern: number;
}

/** The page at `/`, made when it is asked for. */
export type StatusPage = () => string;

/** The service at a port of the gateway; undefined: nobody listens. */
export function serviceAt(port: number): ServiceState | undefined {
  switch (port) {
    case 7:
      return { kind: 'echo', start: 0, kept: new Uint8Array(0) };
    case 9:
      return { kind: 'discard' };
    case 19:
      return { kind: 'chargen' };
    case 80:
      return { kind: 'http', request: '', response: undefined };
    default:
      return undefined;
  }
}

/** Bytes it would take now. */
export function serviceRoom(state: ServiceState): number {
  return state.kind === 'echo' ? ECHO_BUFFER - state.kept.length : ECHO_BUFFER;
}

/** Takes bytes, at most `serviceRoom`. */
export function serviceReceive(state: ServiceState, bytes: Uint8Array, page: StatusPage): void {
  if (state.kind === 'echo') {
    const kept = new Uint8Array(state.kept.length + bytes.length);
    kept.set(state.kept);
    kept.set(bytes, state.kept.length);
    state.kept = kept;
    return;
  }
  if (state.kind !== 'http' || state.response !== undefined) return;
  state.request += asText(bytes);
  const head = /^([^]*?)\r?\n\r?\n/.exec(state.request);
  if (head !== null) state.response = respond(head[1] as string, page);
  else if (state.request.length > REQUEST_MAX)
    state.response = text('431 Request Header Fields Too Large', '');
}

/** Length of the stream as far as it is known now. */
export function serviceAvailable(state: ServiceState): number {
  switch (state.kind) {
    case 'discard':
      return 0;
    case 'chargen':
      return Infinity;
    case 'echo':
      return state.start + state.kept.length;
    case 'http':
      return state.response === undefined ? 0 : state.response.text.length + state.response.pattern;
  }
}

/** Has it nothing to add to its stream? `peerEnded`: the guest has closed its side. */
export function serviceEnded(state: ServiceState, peerEnded: boolean): boolean {
  return peerEnded || (state.kind === 'http' && state.response !== undefined);
}

/** Copies the stream from `offset` on; all of it is available. */
export function serviceRead(state: ServiceState, offset: number, into: Uint8Array): void {
  switch (state.kind) {
    case 'discard':
      return;
    case 'chargen':
      for (let i = 0; i < into.length; i++) into[i] = chargenByte(offset + i);
      return;
    case 'echo':
      into.set(state.kept.subarray(offset - state.start, offset - state.start + into.length));
      return;
    case 'http': {
      const head = state.response?.text ?? '';
      for (let i = 0; i < into.length; i++) {
        const at = offset + i;
        into[i] = at < head.length ? head.charCodeAt(at) : patternByte(at - head.length);
      }
    }
  }
}

/** Everything before `offset` has arrived. */
export function serviceAcknowledged(state: ServiceState, offset: number): void {
  if (state.kind !== 'echo' || offset <= state.start) return;
  state.kept = state.kept.slice(offset - state.start);
  state.start = offset;
}

const CHARGEN_LINE = 74;
/** Lines of 72 of the 95 printable characters, each a place further than the one before. */
function chargenByte(offset: number): number {
  const column = offset % CHARGEN_LINE;
  if (column === 72) return 13;
  if (column === 73) return 10;
  return 32 + ((Math.floor(offset / CHARGEN_LINE) + column) % 95);
}

/** The body of `/bytes/N`: lowercase letters, a line each 64 bytes that begins elsewhere in the alphabet. */
export function patternByte(offset: number): number {
  return offset % 64 === 63 ? 10 : 97 + ((offset + Math.floor(offset / 64)) % 26);
}

function text(status: string, body: string): HttpResponse {
  return {
    text: `HTTP/1.0 ${status}\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    pattern: 0,
  };
}

function respond(head: string, page: StatusPage): HttpResponse {
  const line = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(head.split(/\r?\n/, 1)[0] ?? '');
  if (line === null) return text('400 Bad Request', 'This is not HTTP.\n');
  const [, method, target] = line as unknown as [string, string, string];
  if (method !== 'GET') return text('405 Method Not Allowed', 'Only GET works here.\n');
  if (target === '/') return text('200 OK', page());
  const bytes = Number(/^\/bytes\/(\d{1,13})$/.exec(target)?.[1] ?? Number.NaN);
  if (bytes <= BYTES_MAX) {
    const head200 = `HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`;
    return { text: head200, pattern: bytes };
  }
  return text('404 Not Found', 'There are / and /bytes/N.\n');
}

/** For the page: every character it may hold is ASCII. */
export const asciiOnly = (line: string): string =>
  asText(ascii(line).map((byte) => (byte < 128 ? byte : 63)));
