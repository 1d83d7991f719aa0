import { describe, expect, it } from 'vitest';
import {
  bridgeChannel,
  bridgeId,
  handToPerfetto,
  openInPerfetto,
  PERFETTO_ORIGIN,
  type ToBridge,
} from './perfetto-bridge.ts';

const BASE = new URL('http://localhost/there/');
const TRACE = { blob: new Blob([new Uint8Array([1, 2, 3])]), name: 'a.pftrace' };

/** A bridge that is up after `delay` ms; resolves with what it was sent. */
function bridgeAt(url: string, delay = 0): Promise<ToBridge> {
  const id = bridgeId(new URL(url).hash);
  if (id === undefined) throw new Error(`no id in ${url}`);
  const channel = new BroadcastChannel(bridgeChannel(id));
  setTimeout(() => channel.postMessage({ type: 'ready' }), delay);
  return new Promise((resolve) => {
    channel.onmessage = ({ data }: MessageEvent<ToBridge>) => {
      channel.close();
      resolve(data);
    };
  });
}

describe('the page’s end of the bridge', () => {
  it('opens bridge.html beside the page and hands the trace over, whoever is ready first', async () => {
    for (const [bridgeDelay, traceDelay] of [
      [0, 30],
      [30, 0],
    ] as const) {
      let address = '';
      let got: Promise<ToBridge> | undefined;
      const outcome = await openInPerfetto(
        BASE,
        () => new Promise((resolve) => setTimeout(() => resolve(TRACE), traceDelay)),
        (url) => {
          address = url;
          got = bridgeAt(url, bridgeDelay);
          return {};
        },
      );
      expect(outcome).toBe('handed-over');
      expect(address).toMatch(/^http:\/\/localhost\/there\/bridge\.html#/);
      expect(await got).toMatchObject({ type: 'trace', name: 'a.pftrace' });
    }
  });
  it('says when the window was blocked, when there is no trace, when no bridge came', async () => {
    let asked = false;
    const make = (): Promise<undefined> => {
      asked = true;
      return Promise.resolve(undefined);
    };
    expect(await openInPerfetto(BASE, make, () => null)).toBe('blocked');
    expect(asked).toBe(false);
    let got: Promise<ToBridge> | undefined;
    const open = (url: string): unknown => {
      got = bridgeAt(url);
      return {};
    };
    expect(await openInPerfetto(BASE, make, open)).toBe('no-trace');
    expect(await got).toMatchObject({ type: 'failed' });
    expect(await openInPerfetto(BASE, make, () => ({}), 20)).toBe('no-bridge');
  });
});

describe('the bridge’s end towards Perfetto', () => {
  const trace = { buffer: new ArrayBuffer(8), name: 'a.pftrace' };
  type Listener = (event: Pick<MessageEvent, 'origin' | 'source' | 'data'>) => void;

  it('pings until the answer of that window and origin, then sends the buffer once', async () => {
    const sent: { message: unknown; origin: string }[] = [];
    let hear: Listener = () => {};
    let pings = 0;
    const ui = {
      postMessage: (message: unknown, origin: string): void => {
        sent.push({ message, origin });
        if (message !== 'PING') return;
        const from = (source: unknown, answered: string): void =>
          hear({ origin: answered, source: source as Window, data: 'PONG' });
        pings++;
        if (pings === 1) from(ui, 'https://elsewhere.example');
        if (pings === 2) from({}, PERFETTO_ORIGIN);
        if (pings === 3) from(ui, PERFETTO_ORIGIN);
      },
    };
    let stopped = false;
    const answered = await handToPerfetto(
      ui,
      trace,
      (listener) => {
        hear = listener;
        return () => {
          stopped = true;
        };
      },
      { everyMs: 1 },
    );
    expect(answered).toBe(true);
    expect(stopped).toBe(true);
    expect(pings).toBe(3);
    expect(new Set(sent.map(({ origin }) => origin))).toEqual(new Set([PERFETTO_ORIGIN]));
    expect(sent.at(-1)?.message).toMatchObject({
      perfetto: { buffer: trace.buffer, fileName: 'a.pftrace' },
    });
  });
  it('gives up on a UI that never answers', async () => {
    const ui = { postMessage: (): void => {} };
    expect(await handToPerfetto(ui, trace, () => () => {}, { everyMs: 1, patienceMs: 10 })).toBe(false);
  });
});
