/**
 * Design tokens: the one place for colours, sizes and type. They become CSS variables (`--surface`) on the root
 * element, and canvases read the same object, so both draw in the same colours.
 *
 * Colour means the kind of an event source and nothing else; everything about the page itself is neutral.
 */
export const KIND_GLYPHS = {
  fd: '▮',
  timer: '◷',
  bh: '◆',
  idle: '○',
  aio: '▲',
  custom: '●',
  alarm: '✕',
} as const;

export type Kind = keyof typeof KIND_GLYPHS;

/** What each kind is called in full. */
export const KIND_NAMES: { readonly [K in Kind]: string } = {
  fd: 'file descriptor',
  timer: 'timer',
  bh: 'bottom half',
  idle: 'idle',
  aio: 'AioContext',
  custom: 'custom source',
  alarm: 'problem',
};

export interface Theme {
  readonly page: string;
  readonly surface: string;
  readonly raised: string;
  readonly sunken: string;
  readonly hover: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly text: string;
  readonly muted: string;
  readonly inverse: string;
  readonly shadow: string;
  readonly fd: string;
  readonly timer: string;
  readonly bh: string;
  readonly idle: string;
  readonly aio: string;
  readonly custom: string;
  readonly alarm: string;
  readonly terminal: string;
}

export type ThemeName = 'dark' | 'light';

export const THEMES: { readonly [N in ThemeName]: Theme } = {
  dark: {
    page: '#0B0F14',
    surface: '#11161C',
    raised: '#1A2129',
    sunken: '#0D1217',
    hover: '#232C36',
    line: '#28313B',
    lineStrong: '#5D6976',
    text: '#E8EDF2',
    muted: '#A3AEB9',
    inverse: '#11161C',
    shadow: '0 8px 28px rgb(0 0 0 / 0.5)',
    fd: '#56B4E9',
    timer: '#E69F00',
    bh: '#CC79A7',
    idle: '#9AA4AE',
    aio: '#2BC49A',
    custom: '#C5CDD5',
    alarm: '#FF7A33',
    terminal: '#0D1217',
  },
  light: {
    page: '#F1F3F5',
    surface: '#FFFFFF',
    raised: '#F6F8FA',
    sunken: '#F6F8FA',
    hover: '#E6EAEE',
    line: '#D5DBE1',
    lineStrong: '#7B8794',
    text: '#16202A',
    muted: '#515D69',
    inverse: '#FFFFFF',
    shadow: '0 8px 28px rgb(22 32 42 / 0.16)',
    fd: '#0072B2',
    timer: '#8F6200',
    bh: '#A0487A',
    idle: '#5F6B76',
    aio: '#00795A',
    custom: '#3A4652',
    alarm: '#B84A00',
    terminal: '#FFFFFF',
  },
};

export const FONT_MONO =
  "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
export const FONT_SANS = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";

/** Below this width (CSS px) the page shows one panel at a time. */
export const NARROW_BELOW = 860;

/** Writes the theme's tokens as CSS variables on the root element. */
export function applyTheme(name: ThemeName, root: HTMLElement = document.documentElement): void {
  root.dataset['theme'] = name;
  root.style.colorScheme = name;
  for (const [token, value] of Object.entries(THEMES[name])) root.style.setProperty(`--${token}`, value);
  root.style.setProperty('--font-mono', FONT_MONO);
  root.style.setProperty('--font-sans', FONT_SANS);
}
