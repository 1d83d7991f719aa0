import type { Answers } from './protocol.ts';

/**
 * How a trace gets from the page to Perfetto's UI. The page is cross-origin isolated, so a window it opens on another
 * origin is cut off from it. `bridge.html` is of this origin and sent without the isolation headers: it takes the
 * trace over a BroadcastChannel, opens the UI and hands the trace on with `postMessage`.
 *
 *     page ── window.open ──▶ bridge.html#ID        (on the user's press: a later one would be blocked)
 *     page ◀── ready ─────── bridge                 BroadcastChannel `perfetto-ID`
 *     page ─── trace ──────▶ bridge
 *     bridge ─ window.open ▶ UI ; PING until PONG, then { perfetto: { buffer, title } }
 *
 * The protocol with the UI is Perfetto's "deep linking".
 */
export const PERFETTO_ORIGIN = 'https://ui.perfetto.dev';

export type ToBridge =
  | { readonly type: 'trace'; readonly blob: Blob; readonly name: string }
  | { readonly type: 'failed'; readonly reason: string };
export type FromBridge = { readonly type: 'ready' };

/** Ids are made by `crypto.randomUUID`; whatever else stands in the address is none of ours. */
export const bridgeId = (hash: string): string | undefined => /^#([0-9a-f-]{36})$/.exec(hash)?.[1];

export const bridgeChannel = (id: string): string => `perfetto-${id}`;

/** The page waits this long for the bridge to come up (ms). */
const PATIENCE_MS = 60_000;

export type BridgeOutcome = 'handed-over' | 'blocked' | 'no-trace' | 'no-bridge';

/**
 * Opens the bridge and gives it the trace. Call it from a press of a button.
 *
 * @param base where the page is served from
 * @param makeTrace puts the trace together; undefined when there is none
 * @param open `window.open`; null when the browser blocks it
 */
export async function openInPerfetto(
  base: URL,
  makeTrace: () => Promise<Answers['export'] | undefined>,
  open: (url: string) => unknown = (url) => window.open(url, '_blank'),
  patienceMs = PATIENCE_MS,
): Promise<BridgeOutcome> {
  const id = crypto.randomUUID();
  const channel = new BroadcastChannel(bridgeChannel(id));
  // Listens before it opens: the bridge may be there at once, or long after the trace is.
  const ready = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    channel.onmessage = ({ data }: MessageEvent<FromBridge>) => {
      if (data.type !== 'ready') return;
      clearTimeout(timer);
      resolve(true);
    };
  });
  try {
    if (open(new URL(`bridge.html#${id}`, base).href) === null) return 'blocked';
    const send = (message: ToBridge): void => channel.postMessage(message);
    const [trace, up] = await Promise.all([makeTrace(), ready]);
    if (!up) return 'no-bridge';
    if (trace === undefined) {
      send({ type: 'failed', reason: 'No machine has run yet, so there is no trace.' });
      return 'no-trace';
    }
    send({ type: 'trace', blob: trace.blob, name: trace.name });
    return 'handed-over';
  } finally {
    channel.close();
  }
}

/** What a window of Perfetto's UI is spoken to with. */
export interface PerfettoWindow {
  postMessage(message: unknown, origin: string): void;
}

/**
 * Says PING until the UI answers PONG, then sends the trace. Resolves with whether it answered.
 *
 * @param onMessage listens to this window's messages until the returned function is called
 */
export function handToPerfetto(
  ui: PerfettoWindow,
  trace: { readonly buffer: ArrayBuffer; readonly name: string },
  onMessage: (listener: (event: Pick<MessageEvent, 'origin' | 'source' | 'data'>) => void) => () => void,
  { everyMs = 100, patienceMs = 30_000 } = {},
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answered: boolean): void => {
      clearInterval(ping);
      clearTimeout(timer);
      off();
      resolve(answered);
    };
    const off = onMessage(({ origin, source, data }) => {
      if (origin !== PERFETTO_ORIGIN || source !== ui || data !== 'PONG') return;
      const { buffer, name } = trace;
      ui.postMessage({ perfetto: { buffer, title: 'QContext Playground', fileName: name } }, PERFETTO_ORIGIN);
      end(true);
    });
    // Until the UI has loaded, a message for its origin is dropped.
    const ping = setInterval(() => ui.postMessage('PING', PERFETTO_ORIGIN), everyMs);
    const timer = setTimeout(() => end(false), patienceMs);
  });
}
