import type { FromAggregator, ToAggregator } from './protocol.ts';
import { TraceService } from './trace-service.ts';

// Entry point of the worker that reads the trace.

/** Asked for once, as the machine's threads do: what an event costs them is measured here with the same clock. */
const origin = performance.timeOrigin;
const service = new TraceService(
  (message: FromAggregator) => globalThis.postMessage(message),
  () => origin + performance.now(),
  { hurry: () => turn(), cores: navigator.hardwareConcurrency },
);
let next: ReturnType<typeof setTimeout> | undefined;
const turn = (): void => {
  clearTimeout(next);
  next = setTimeout(turn, service.tick());
};
globalThis.onmessage = (event: MessageEvent<ToAggregator>) => {
  service.receive(event.data);
  // Who comes to a page that sleeps does not wait for its next turn.
  if (event.data.type === 'wake') turn();
};
turn();
