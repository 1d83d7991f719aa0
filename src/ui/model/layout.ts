import { createStore } from 'zustand/vanilla';

/** Arrangements of the panels; each is a starting point, the borders between panels stay movable. */
export const PRESETS = {
  overview: 'Everything',
  start: 'Contexts and guest',
  inspect: 'Inspector',
} as const;
export type Preset = keyof typeof PRESETS;

export interface LayoutState {
  readonly preset: Preset;
  readonly inspector: string;
  readonly tools: string;
  /** The panel shown on a small screen. */
  readonly narrow: string;
}

/** What is shown where. */
export const layout = createStore<LayoutState>(() => ({
  preset: 'overview',
  inspector: 'ring',
  tools: 'command-line',
  narrow: 'guest',
}));

/** Brings a panel to the front, wherever it lives. */
export function reveal(panel: 'command-line' | 'monitor' | 'images'): void {
  layout.setState(({ preset }) => ({
    tools: panel,
    narrow: 'more',
    preset: preset === 'inspect' ? 'overview' : preset,
  }));
}
