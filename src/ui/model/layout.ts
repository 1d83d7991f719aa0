import { createStore } from 'zustand/vanilla';
import { loadSettings, saveSettings } from './settings.ts';

/** Arrangements of the panels; each is a starting point, the borders between panels stay movable. */
export const PRESETS = {
  overview: 'Everything',
  start: 'Contexts and guest',
  inspect: 'Inspector',
} as const;
export type Preset = keyof typeof PRESETS;

export const isPreset = (text: string | undefined): text is Preset => text !== undefined && text in PRESETS;

export interface LayoutState {
  readonly preset: Preset;
  readonly inspector: string;
  readonly tools: string;
  /** The panel shown on a small screen. */
  readonly narrow: string;
}

const remembered = loadSettings().view;

/** What is shown where; remembered between visits. */
export const layout = createStore<LayoutState>(() => ({
  preset: isPreset(remembered.preset) ? remembered.preset : 'overview',
  inspector: remembered.inspector ?? 'ring',
  tools: remembered.tools ?? 'command-line',
  narrow: 'guest',
}));
layout.subscribe(({ preset, inspector, tools }) => saveSettings({ view: { preset, inspector, tools } }));

/** Brings a panel to the front, wherever it lives. */
export function reveal(panel: 'command-line' | 'monitor' | 'images'): void {
  layout.setState(({ preset }) => ({
    tools: panel,
    narrow: 'more',
    preset: preset === 'inspect' ? 'overview' : preset,
  }));
}
