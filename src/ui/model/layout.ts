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
  /** Percentage of the first part of each border that was moved, by the border's name. */
  readonly splits: Readonly<Record<string, number>>;
  /** The panel shown on a small screen. */
  readonly narrow: string;
}

const settings = loadSettings();
const remembered = settings.view;

/** What is shown where; remembered between visits. */
export const layout = createStore<LayoutState>(() => ({
  preset: isPreset(remembered.preset) ? remembered.preset : 'overview',
  inspector: remembered.inspector ?? 'ring',
  tools: remembered.tools ?? 'command-line',
  splits: settings.splits,
  narrow: 'guest',
}));
layout.subscribe(({ preset, inspector, tools, splits }) =>
  saveSettings({ view: { preset, inspector, tools }, splits }),
);

/** What a part may have of the room of two, percent; a link may ask for anything. */
const SPLIT_RANGE = [15, 85] as const;

/** Where a border stands: as it was moved, else at `share` percent. */
export function splitOf(name: string, share: number): number {
  const [least, most] = SPLIT_RANGE;
  return Math.min(most, Math.max(least, layout.getState().splits[name] ?? share));
}

/** Remembers a border that was moved, to a tenth of a percent. */
export function moveSplit(name: string, percent: number): void {
  layout.setState(({ splits }) => ({ splits: { ...splits, [name]: Math.round(percent * 10) / 10 } }));
}

/** Brings the timeline into view. */
export function revealTimeline(): void {
  layout.setState(({ preset }) => ({ narrow: 'time', preset: preset === 'start' ? 'overview' : preset }));
}

/** Brings a tab of the inspector into view. */
export function revealInspector(tab: string): void {
  layout.setState(({ preset }) => ({
    inspector: tab,
    narrow: 'request',
    preset: preset === 'start' ? 'overview' : preset,
  }));
}

/** Brings the guest's terminal into view; every arrangement has it. */
export function revealTerminal(): void {
  layout.setState({ narrow: 'guest' });
}

/** Brings a panel to the front, wherever it lives. */
export function reveal(panel: 'command-line' | 'monitor' | 'images'): void {
  layout.setState(({ preset }) => ({
    tools: panel,
    narrow: 'more',
    preset: preset === 'inspect' ? 'overview' : preset,
  }));
}
