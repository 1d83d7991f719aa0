/** Text as QMP carries bytes (`ringbuf-read`, `ringbuf-write`): UTF-8 or base64, without the web's encoders. */
export type DataFormat = 'utf8' | 'base64';

const REPLACEMENT = 0xfffd;
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export const encodeBytes = (bytes: Uint8Array, format: DataFormat): string =>
  format === 'utf8' ? decodeUtf8(bytes) : toBase64(bytes);

/** Undefined: not base64. */
export const decodeText = (text: string, format: DataFormat): Uint8Array | undefined =>
  format === 'utf8' ? encodeUtf8(text) : fromBase64(text);

function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    const raw = char.codePointAt(0) as number;
    const code = raw >= 0xd800 && raw < 0xe000 ? REPLACEMENT : raw;
    const tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x1_0000 ? 2 : 3;
    const mark = [0, 0xc0, 0xe0, 0xf0][tail] as number;
    bytes.push(mark | (code >> (6 * tail)));
    for (let i = tail - 1; i >= 0; i--) bytes.push(0x80 | ((code >> (6 * i)) & 0x3f));
  }
  return Uint8Array.from(bytes);
}

/** What is not UTF-8 becomes U+FFFD, a byte at a time. */
function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] as number;
    const tail = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    let code = tail === 0 ? lead : lead & (0x3f >> tail);
    for (let i = 1; i <= tail; i++) code = (code << 6) | ((bytes[at + i] ?? 0) & 0x3f);
    const valid =
      tail === 0 ||
      (lead >= 0xc2 &&
        lead <= 0xf4 &&
        code >= ([0, 0x80, 0x800, 0x1_0000][tail] as number) &&
        code <= 0x10_ffff &&
        !(code >= 0xd800 && code < 0xe000) &&
        Array.from({ length: tail }, (_, i) => bytes[at + 1 + i] ?? 0).every((byte) => byte >> 6 === 2));
    text += String.fromCodePoint(valid ? code : REPLACEMENT);
    at += valid ? tail + 1 : 1;
  }
  return text;
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let i = 0; i < 4; i++) text += at + i > bytes.length ? '=' : BASE64[(group >> (18 - 6 * i)) & 63];
  }
  return text;
}

function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const data = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((data.length * 6) / 8));
  for (let i = 0; i < bytes.length; i++) {
    const bit = i * 8;
    const first = BASE64.indexOf(data[Math.floor(bit / 6)] as string);
    const second = BASE64.indexOf(data[Math.floor(bit / 6) + 1] as string);
    bytes[i] = ((first << 6) | second) >> (4 - (bit % 6));
  }
  return bytes;
}
