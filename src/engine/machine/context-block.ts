import { assert } from '../base/assert.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';
import { WakeWordLayout } from '../base/wake-word.ts';

/** Contexts a machine can have, `main` included; the table is allocated once. */
export const MAX_CONTEXTS = 32;

/** What a context's thread is doing. */
export const CONTEXT_STATE = {
  free: 0,
  starting: 1,
  dispatching: 2,
  polling: 3,
  blocked: 4,
  yielded: 5,
  held: 6,
} as const;

/** Bytes of the text a context publishes about its sources (JSON, see context-thread.ts). */
const SOURCES_BYTES = 8 * 1024;

/**
 * One per context, in shared memory: its wake word, then what the board reads. Only the context's own
 * thread writes here, but for the wake word and what a breakpoint tells it.
 */
export const ContextBlockLayout = struct(
  'ContextBlock',
  {
    wake: `bytes:${WakeWordLayout.size}`,
    state: 'u32',
    iterations: 'u32',
    /** Host ns at which `state` began; the reader adds the time since. */
    since: 'f64',
    busyNs: 'f64',
    pollingNs: 'f64',
    blockedNs: 'f64',
    /** Host ns of the next timer, 0 for none. */
    nextTimer: 'f64',
    /** Host ns at which its hold began, 0 while it is not held. */
    heldSince: 'f64',
    /** The breakpoint that held it and the event (break-watch.ts); written by the thread it happened on. */
    hitState: 'u32',
    hitBreakpoint: 'u32',
    hitThread: 'u32',
    hitEvent: 'u32',
    hitDev: 'u32',
    hitQueue: 'u32',
    hitReq: 'u32',
    hitSpare: 'u32',
    /** Odd while the text is being written. */
    sourcesSeq: 'u32',
    sourcesLength: 'u32',
    /** `iterations` when it was published. */
    publishedIterations: 'u32',
    sources: `bytes:${SOURCES_BYTES}`,
  },
  64,
);

/** Copies text out of shared memory: TextDecoder rejects shared views, and the text is ASCII-escaped JSON. */
function asciiAt(mem: SharedMemory, addr: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i += 4096)
    text += String.fromCharCode(...mem.bytes(addr + i, Math.min(4096, length - i)));
  return text;
}

/** Publishes a context's text. Context's thread. Text that does not fit is refused (false) and the old one stays. */
export function publishSources(mem: SharedMemory, block: number, value: unknown): boolean {
  const text = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (text.length > SOURCES_BYTES) return false;
  const { at } = ContextBlockLayout;
  const seq = mem.load32(block + at.sourcesSeq);
  assert((seq & 1) === 0, 'one writer');
  // ORDER: odd before, even after; pairs with readSources().
  mem.store32(block + at.sourcesSeq, (seq + 1) >>> 0);
  for (let i = 0; i < text.length; i++) mem.u8[block + at.sources + i] = text.charCodeAt(i);
  mem.store32(block + at.sourcesLength, text.length);
  mem.store32(block + at.sourcesSeq, (seq + 2) >>> 0);
  return true;
}

/** The text last published; undefined before the first, or when the writer kept getting in between. Any thread. */
export function readSources(mem: SharedMemory, block: number): unknown {
  const { at } = ContextBlockLayout;
  for (let attempt = 0; attempt < 4; attempt++) {
    const seq = mem.load32(block + at.sourcesSeq);
    const length = mem.load32(block + at.sourcesLength);
    if (length === 0) return undefined;
    if ((seq & 1) !== 0) continue;
    const text = asciiAt(mem, block + at.sources, length);
    if (mem.load32(block + at.sourcesSeq) === seq) return JSON.parse(text);
  }
  return undefined;
}
