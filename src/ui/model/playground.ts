import { createContext, useContext, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { BoardSnapshot } from '../../engine/vm.ts';
import type { Breakpoints } from './breakpoints.ts';
import type { Guide } from './guide.ts';
import type { Holds } from './holds.ts';
import type { BoardFrame } from './live-board.ts';
import type { Monitor } from './monitor.ts';
import type { Moves } from './moves.ts';
import type { RequestLinks } from './trace/request-links.ts';
import type { TraceClient } from './trace/trace-client.ts';
import type { ControllerState, VmController } from './vm-controller.ts';

/** Everything a view may use: the machine's controller and what goes with it. */
export interface Playground {
  readonly controller: VmController;
  readonly moves: Moves;
  readonly holds: Holds;
  readonly breakpoints: Breakpoints;
  readonly monitor: Monitor;
  readonly trace: TraceClient;
  readonly requests: RequestLinks;
  readonly guide: Guide;
  /** Numbers of the board at 4 Hz; a stable function, as LiveText wants. */
  readonly numbers: (listener: (frame: BoardFrame) => void) => () => void;
}

export const PlaygroundContext = createContext<Playground | undefined>(undefined);

export function usePlayground(): Playground {
  const playground = useContext(PlaygroundContext);
  if (playground === undefined) throw new Error('a view is used outside of PlaygroundContext');
  return playground;
}

/** Selects from the controller's state; renders when the selected value changes. */
export function useController<T>(select: (state: ControllerState) => T): T {
  return useStore(usePlayground().controller.store, select);
}

/** The board as it stood at its last change of shape; undefined while no machine is on. */
export function useBoardShape(): BoardSnapshot | undefined {
  const { board } = usePlayground().controller;
  return useSyncExternalStore(board.subscribeShape, board.shape);
}
