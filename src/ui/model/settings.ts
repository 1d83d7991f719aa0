import {
  object,
  optional,
  picklist,
  record,
  number,
  string,
  boolean,
  safeParse,
  type InferOutput,
} from 'valibot';

/** What the page remembers between visits. Anything unreadable is forgotten, never fatal. */
const SettingsSchema = object({
  theme: optional(picklist(['dark', 'light', 'system']), 'system'),
  commandLine: optional(string()),
  /** Percentage of the first part of each movable border. */
  splits: optional(record(string(), number()), {}),
  /** Panels brought to the front. */
  view: optional(
    object({ preset: optional(string()), inspector: optional(string()), tools: optional(string()) }),
    {},
  ),
  guideDone: optional(boolean(), false),
  /** Keep a snapshot for the next visit, and start from it. */
  warmStart: optional(boolean(), true),
});

export type Settings = InferOutput<typeof SettingsSchema>;

const KEY = 'qcontext-playground';

export function loadSettings(): Settings {
  let stored: unknown = {};
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    // Storage blocked or damaged: defaults.
  }
  const parsed = safeParse(SettingsSchema, stored);
  return parsed.success
    ? parsed.output
    : { theme: 'system', splits: {}, view: {}, guideDone: false, warmStart: true };
}

/** Merges and stores; says nothing when storage is blocked, since the page works without. */
export function saveSettings(change: Partial<Settings>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...loadSettings(), ...change }));
  } catch {
    // Nothing to do: remembering is a comfort.
  }
}
