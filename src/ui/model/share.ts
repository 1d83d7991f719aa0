import { literal, number, object, optional, record, safeParse, string, variant } from 'valibot';

/**
 * A link that carries a configuration: `#v1.` and base64url of the deflated JSON. Written by one version, it may
 * be opened by another, so reading never throws and says what is wrong.
 */
const SharedSchema = variant('v', [
  object({
    v: literal(1),
    commandLine: string(),
    preset: optional(string()),
    inspector: optional(string()),
    tools: optional(string()),
    splits: optional(record(string(), number())),
    scenario: optional(string()),
    step: optional(string()),
  }),
]);
const VersionSchema = object({ v: number() });

export interface Shared {
  readonly commandLine: string;
  readonly preset?: string | undefined;
  readonly inspector?: string | undefined;
  readonly tools?: string | undefined;
  /** Percentage of the first part of each border that was moved. Absent in links of earlier versions. */
  readonly splits?: Readonly<Record<string, number>> | undefined;
  /** Ids of a scenario and of the step it is at. Absent in links of earlier versions. */
  readonly scenario?: string | undefined;
  readonly step?: string | undefined;
}

export type SharedResult =
  | { readonly kind: 'none' }
  | { readonly kind: 'shared'; readonly shared: Shared }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'newer' };

const PREFIX = /^#?v(\d+)\.([A-Za-z0-9_-]*)$/;
/** Far more than any command line; a link that inflates beyond is not one of ours. */
const MAX_TEXT = 256 * 1024;

export async function encodeShared(shared: Shared): Promise<string> {
  const json = new TextEncoder().encode(JSON.stringify({ v: 1, ...shared }));
  const packed = await pipe(json, new CompressionStream('deflate-raw'));
  return `#v1.${toBase64Url(packed)}`;
}

export async function decodeShared(hash: string): Promise<SharedResult> {
  if (hash === '' || hash === '#') return { kind: 'none' };
  const match = PREFIX.exec(hash);
  if (match === null) return hash.startsWith('#v') ? { kind: 'damaged' } : { kind: 'none' };
  if (Number(match[1]) > 1) return { kind: 'newer' };
  try {
    const bytes = await pipe(fromBase64Url(match[2] ?? ''), new DecompressionStream('deflate-raw'), MAX_TEXT);
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const parsed = safeParse(SharedSchema, value);
    if (parsed.success) {
      const { v: _version, ...shared } = parsed.output;
      return { kind: 'shared', shared };
    }
    const version = safeParse(VersionSchema, value);
    return { kind: version.success && version.output.v > 1 ? 'newer' : 'damaged' };
  } catch {
    return { kind: 'damaged' };
  }
}

async function pipe(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
  limit = Number.POSITIVE_INFINITY,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new Error('too long');
    }
    parts.push(value as Uint8Array<ArrayBuffer>);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
