import type { FromAggregator, ToAggregator } from './protocol.ts';
import { TraceService } from './trace-service.ts';

/** Entry point of the worker that reads the trace. */
const service = new TraceService(
  (message: FromAggregator) => globalThis.postMessage(message),
  () => performance.timeOrigin + performance.now(),
);
globalThis.onmessage = (event: MessageEvent<ToAggregator>) => service.receive(event.data);

const turn = (): void => {
  setTimeout(turn, service.tick());
};
turn();
