import {
  bridgeChannel,
  bridgeId,
  type FromBridge,
  handToPerfetto,
  PERFETTO_ORIGIN,
  type ToBridge,
} from '../model/trace/perfetto-bridge.ts';

/** The script of bridge.html: takes the trace from the playground and hands it to Perfetto's UI. */

/** The page waits for the trace this long before it says that something is wrong (ms). */
const PATIENCE_MS = 60_000;

interface Elements {
  readonly status: Element;
  readonly open: HTMLButtonElement;
  readonly save: HTMLAnchorElement;
}

const status = document.querySelector('#status');
const open = document.querySelector<HTMLButtonElement>('button#open');
const save = document.querySelector<HTMLAnchorElement>('a#save');
if (status === null || open === null || save === null)
  throw new Error('bridge.html lacks one of its elements');
receive({ status, open, save });

function receive(page: Elements): void {
  const id = bridgeId(location.hash);
  if (id === undefined) {
    page.status.textContent =
      'There is no trace here. Open this from the timeline of the playground: Save the trace.';
    return;
  }
  const channel = new BroadcastChannel(bridgeChannel(id));
  const timer = setTimeout(() => {
    page.status.textContent =
      'The playground’s page does not answer: it may have been closed or reloaded. Close this and try again from there.';
  }, PATIENCE_MS);
  channel.onmessage = ({ data }: MessageEvent<ToBridge>) => {
    clearTimeout(timer);
    channel.close();
    if (data.type === 'failed') page.status.textContent = data.reason;
    else offer(page, data.blob, data.name);
  };
  channel.postMessage({ type: 'ready' } satisfies FromBridge);
}

function offer(page: Elements, blob: Blob, name: string): void {
  page.save.href = URL.createObjectURL(blob);
  page.save.download = name;
  page.save.hidden = false;
  page.open.hidden = false;
  const here = `The trace is here: ${name}, ${(blob.size / 1e6).toFixed(1)} MB.`;
  page.status.textContent = navigator.onLine
    ? here
    : `${here} This browser is offline, so save the file and open it in Perfetto later.`;
  page.open.onclick = () => void handOn(page, blob, name);
  // It needs a press: a window that opens by itself would be blocked.
  page.open.focus();
}

async function handOn(page: Elements, blob: Blob, name: string): Promise<void> {
  const ui = window.open(PERFETTO_ORIGIN, '_blank');
  if (ui === null) {
    page.status.textContent =
      'The browser blocked the window. Allow it for this page, or save the file instead.';
    return;
  }
  page.open.disabled = true;
  page.status.textContent = 'Waiting for ui.perfetto.dev…';
  const answered = await handToPerfetto(ui, { buffer: await blob.arrayBuffer(), name }, (listener) => {
    addEventListener('message', listener);
    return () => removeEventListener('message', listener);
  });
  page.open.disabled = false;
  page.status.textContent = answered
    ? 'Perfetto has the trace. It may ask there whether you trust this page. This tab can be closed.'
    : 'ui.perfetto.dev did not answer. Is there a network? Save the file and open it there later.';
}
