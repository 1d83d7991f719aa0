import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { ClipboardAddon } from '@xterm/addon-clipboard';
import { SearchAddon } from '@xterm/addon-search';
import { type ITheme, Terminal } from '@xterm/xterm';
import type { SerialPort } from '../../../engine/vm.ts';
import { FONT_MONO, THEMES, type ThemeName } from '../../tokens.ts';
import type { Modifiers } from './keys.ts';
import { LineTracker } from './line-tracker.ts';

/**
 * The one terminal of the page. It outlives React's comings and goings (its element is moved, not rebuilt) and
 * the machines it is connected to, so nothing of the output is lost when the layout changes.
 */
export class TerminalSession {
  readonly term: Terminal;
  readonly #search = new SearchAddon();
  readonly #fit = new FitAddon();
  readonly #line = new LineTracker();
  #port: SerialPort | undefined;
  #off: () => void = () => {};
  #resizer: ResizeObserver | undefined;
  #modifiers: Modifiers = { ctrl: false, alt: false };
  /** Told when the sticky modifiers change, so that their buttons can show it. */
  onModifiers: (modifiers: Modifiers) => void = () => {};

  constructor() {
    this.term = new Terminal({
      fontFamily: FONT_MONO,
      fontSize: 13,
      lineHeight: 1.15,
      scrollback: 5000,
      convertEol: false,
      cursorBlink: false,
      allowProposedApi: true,
      minimumContrastRatio: 4.5,
      screenReaderMode: false,
    });
    this.term.loadAddon(this.#fit);
    this.term.loadAddon(new WebLinksAddon());
    this.term.loadAddon(new ClipboardAddon());
    this.term.loadAddon(this.#search);
    this.term.onData((data) => this.#input(data));
    this.term.onBinary((data) => this.#port?.write(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.term.attachCustomKeyEventHandler((event) => this.#key(event));
  }

  /** Shows the terminal in this element; returns how to take it out again. */
  mount(parent: HTMLElement): () => void {
    if (this.term.element === undefined) this.term.open(parent);
    else parent.append(this.term.element);
    const resizer = new ResizeObserver(() => this.fit());
    resizer.observe(parent);
    this.#resizer = resizer;
    this.fit();
    return () => {
      resizer.disconnect();
      if (this.#resizer === resizer) this.#resizer = undefined;
      this.term.element?.remove();
    };
  }

  /** Something stands on the screen, of a guest that runs or ran. */
  hasOutput = false;

  fit(): void {
    const parent = this.term.element?.parentElement;
    if (parent != null && parent.clientWidth > 40 && parent.clientHeight > 20) this.#fit.fit();
  }

  setTheme(name: ThemeName): void {
    this.term.options.theme = terminalTheme(name);
  }

  /** Joins the terminal to a serial port, whose log is shown from its beginning. */
  connect(port: SerialPort): void {
    if (this.#port === port) return;
    this.disconnect();
    this.term.reset();
    this.#line.reset();
    this.#port = port;
    this.hasOutput = false;
    this.#off = port.onData((bytes) => {
      this.hasOutput = true;
      this.term.write(bytes);
    });
  }

  /** What was shown stays to be read; what is typed goes nowhere. */
  disconnect(): void {
    this.#off();
    this.#off = () => {};
    this.#port = undefined;
  }

  /** Tells the guest's shell how large the terminal is, as far as a serial line can: by typing it. */
  tellSize(): void {
    this.send(`stty rows ${this.term.rows} cols ${this.term.cols}\r`);
  }

  /** Sends as if typed, and keeps the focus in the terminal. */
  send(data: string): void {
    this.#input(data);
    this.term.focus();
  }

  /** A modifier that applies to the next key only. */
  toggle(modifier: keyof Modifiers): void {
    this.#setModifiers({ ...this.#modifiers, [modifier]: !this.#modifiers[modifier] });
    this.term.focus();
  }

  /** Selects the next place where the text stands; false when there is none. */
  find(text: string, backwards: boolean): boolean {
    return backwards ? this.#search.findPrevious(text) : this.#search.findNext(text);
  }

  endSearch(): void {
    this.#search.clearDecorations();
    this.term.focus();
  }

  async copy(): Promise<void> {
    const text = this.term.getSelection();
    if (text !== '') await navigator.clipboard.writeText(text);
  }

  async paste(): Promise<void> {
    this.term.paste(await navigator.clipboard.readText());
    this.term.focus();
  }

  #input(data: string): void {
    const { ctrl, alt } = this.#modifiers;
    let bytes = data;
    if (ctrl && bytes.length === 1) bytes = String.fromCharCode(bytes.toUpperCase().charCodeAt(0) & 0x1f);
    if (alt) bytes = `\x1b${bytes}`;
    if (ctrl || alt) this.#setModifiers({ ctrl: false, alt: false });
    this.#line.typed(bytes);
    this.#port?.write(bytes);
  }

  /** False: the terminal leaves the key to the page. */
  #key(event: KeyboardEvent): boolean {
    if (event.key === 'Tab') {
      const plain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
      const fullScreen = this.term.buffer.active.type === 'alternate';
      // A keyboard user must be able to leave: Tab belongs to the guest only where it can complete something.
      return plain && (this.#line.started || fullScreen);
    }
    if (event.type === 'keydown' && event.ctrlKey && event.shiftKey && event.code === 'KeyC') {
      event.preventDefault();
      void this.copy().catch(() => {});
      return false;
    }
    // Ctrl+Shift+V and ⌘V arrive as paste events; ⌘K is the page's.
    return (
      !(event.ctrlKey && event.shiftKey && event.code === 'KeyV') && !(event.metaKey && event.code === 'KeyK')
    );
  }

  #setModifiers(modifiers: Modifiers): void {
    this.#modifiers = modifiers;
    this.onModifiers(modifiers);
  }
}

function terminalTheme(name: ThemeName): ITheme {
  const theme = THEMES[name];
  const ansi =
    name === 'dark'
      ? {
          black: '#3B4652',
          red: '#FF8A66',
          green: '#58C99B',
          yellow: '#E6B450',
          blue: '#6CB8EE',
          magenta: '#D797BB',
          cyan: '#5CC8C8',
          white: '#D5DCE3',
        }
      : {
          black: '#16202A',
          red: '#A83A00',
          green: '#00694E',
          yellow: '#7A5400',
          blue: '#00629A',
          magenta: '#8A3B68',
          cyan: '#00676B',
          white: '#515D69',
        };
  return {
    background: theme.terminal,
    foreground: theme.text,
    cursor: theme.text,
    cursorAccent: theme.terminal,
    selectionBackground: theme.lineStrong,
    selectionForeground: name === 'dark' ? '#FFFFFF' : '#FFFFFF',
    ...ansi,
  };
}
