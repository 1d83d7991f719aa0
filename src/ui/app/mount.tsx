import { StrictMode, startTransition } from 'react';
import { createRoot } from 'react-dom/client';
import './global.css';
import { followBoard } from '../model/follow-board.ts';
import { Breakpoints } from '../model/breakpoints.ts';
import { Guide } from '../model/guide.ts';
import { Holds } from '../model/holds.ts';
import type { ImagesModel } from '../model/images/images-model.ts';
import { Monitor } from '../model/monitor.ts';
import { Moves } from '../model/moves.ts';
import { type Playground, PlaygroundContext } from '../model/playground.ts';
import { RequestLinks } from '../model/trace/request-links.ts';
import { TraceClient } from '../model/trace/trace-client.ts';
import { VmController, type ControllerOptions } from '../model/vm-controller.ts';
import { App } from './App.tsx';

type PageOptions = ControllerOptions & {
  readonly defaultCommandLine: string;
  readonly images: ImagesModel;
};

/** What the page is driven by; nothing is shown yet. */
export function createPlayground(options: PageOptions): Playground {
  const controller = new VmController(options);
  const moves = new Moves(controller);
  const trace = new TraceClient(controller);
  const requests = new RequestLinks(trace);
  controller.onVm(() => requests.forget());
  const playground: Playground = {
    controller,
    moves,
    holds: new Holds(controller),
    breakpoints: new Breakpoints(controller),
    guide: new Guide(controller, moves, options.defaultCommandLine, (since) =>
      trace.ask({ ask: 'context-records', since }),
    ),
    monitor: new Monitor(controller),
    trace,
    requests,
    numbers: (listener) => controller.board.onNumbers(listener),
  };
  followBoard(controller);
  // A page that slept with its machine is awake for whoever comes to it.
  for (const sign of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'focus'])
    addEventListener(sign, () => controller.board.wake(), { capture: true, passive: true });
  // Disks must be closed before the next page can open them.
  addEventListener('pagehide', () => controller.abandon());
  return playground;
}

/** Puts the page into `root`, in slices: a machine that starts meanwhile is not kept waiting. */
export function show(root: HTMLElement, playground: Playground, options: PageOptions): void {
  startTransition(() =>
    createRoot(root).render(
      <StrictMode>
        <PlaygroundContext value={playground}>
          <App defaultCommandLine={options.defaultCommandLine} images={options.images} />
        </PlaygroundContext>
      </StrictMode>,
    ),
  );
}

/** Both. */
export function mount(root: HTMLElement, options: PageOptions): Playground {
  const playground = createPlayground(options);
  show(root, playground, options);
  return playground;
}
