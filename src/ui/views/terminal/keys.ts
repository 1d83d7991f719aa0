/** Keys a phone's keyboard lacks, as a serial line carries them (application cursor keys excepted). */
export const KEY_BYTES = {
  Esc: '\x1b',
  Tab: '\t',
  '←': '\x1b[D',
  '↑': '\x1b[A',
  '↓': '\x1b[B',
  '→': '\x1b[C',
} as const;

export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
}
