import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './browser.ts';
import { type Guest, PROMPT } from './conversation.ts';
import { isRenderer } from './processes.ts';
import { V86, V86_FILES } from './v86-guest.ts';

/** The part of v86's interface that is used here. */
interface V86Emulator {
  add_listener(event: 'serial0-output-byte', listener: (byte: number) => void): void;
  serial0_send(text: string): void;
}
declare global {
  interface Window {
    V86?: new (options: Readonly<Record<string, unknown>>) => V86Emulator;
    v86?: {
      readonly emulator: V86Emulator;
      readonly expect: (source: string, ms: number) => Promise<string>;
    };
  }
}

const HTML = '<!doctype html><title>v86</title><script src="libv86.js"></script>';

/** v86 in the same Chromium as we are in, in a window of its own. */
export class V86Machine implements Guest {
  readonly who: string = V86.replace('@', ' ');
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Boots to the prompt; `seconds` are from power-on to it. */
  static async boot(
    work: string,
    url: string,
    files: string,
  ): Promise<{ readonly machine: V86Machine; readonly seconds: number }> {
    const browser = await Browser.open(work, url);
    const { page } = browser;
    await page.route('**/v86/*', (route) => {
      const name = route.request().url().split('/').at(-1) ?? '';
      if (name === '') return route.fulfill({ contentType: 'text/html', body: HTML });
      if (!V86_FILES.some((known) => known === name)) return route.abort();
      const contentType = name.endsWith('.js')
        ? 'text/javascript'
        : name.endsWith('.wasm')
          ? 'application/wasm'
          : 'application/octet-stream';
      return route.fulfill({ contentType, body: readFileSync(join(files, name)) });
    });
    await page.goto(`${url}v86/`);
    const seconds = await page.evaluate(async (prompt) => {
      const { V86: Emulator } = window;
      if (Emulator === undefined) throw new Error('libv86.js did not load');
      const load = async (name: string) => ({ buffer: await (await fetch(name)).arrayBuffer() });
      const [bios, vga, bzimage, initrd] = await Promise.all(
        ['bios.bin', 'vgabios.bin', 'bzimage', 'initrd'].map(load),
      );
      const start = performance.now();
      const emulator = new Emulator({
        wasm_path: 'v86.wasm',
        bios,
        vga_bios: vga,
        bzimage,
        initrd,
        cmdline: 'console=ttyS0 quiet tsc=reliable mitigations=off random.trust_cpu=on',
        memory_size: 256 << 20,
        vga_memory_size: 2 << 20,
        autostart: true,
        disable_keyboard: true,
        disable_mouse: true,
        disable_speaker: true,
      });
      let output = '';
      let look = (): void => {};
      emulator.add_listener('serial0-output-byte', (byte) => {
        output += String.fromCharCode(byte);
        look();
      });
      const expect = (source: string, ms: number): Promise<string> =>
        new Promise((resolve, reject) => {
          const pattern = new RegExp(source);
          const timer = setTimeout(
            () => reject(new Error(`v86: no ${source} within ${ms} ms; it ends: ${output.slice(-300)}`)),
            ms,
          );
          look = () => {
            const match = pattern.exec(output);
            if (match === null) return;
            clearTimeout(timer);
            look = () => {};
            const end = match.index + match[0].length;
            resolve(output.slice(0, end));
            output = output.slice(end);
          };
          look();
        });
      window.v86 = { emulator, expect };
      await expect(prompt, 240_000);
      return (performance.now() - start) / 1000;
    }, PROMPT.source);
    return { machine: new V86Machine(browser), seconds };
  }

  send(text: string): Promise<void> {
    return this.#browser.page.evaluate((bytes) => window.v86?.emulator.serial0_send(bytes), text);
  }

  expect(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    return this.#browser.page.evaluate(
      ([source, ms]) => window.v86?.expect(source, ms) ?? Promise.reject(new Error('v86 is not on')),
      [pattern.source, timeoutMs] as const,
    );
  }

  pids(): readonly number[] {
    return this.#browser
      .processes()
      .filter(isRenderer)
      .map(({ pid }) => pid);
  }

  stop(): Promise<void> {
    return this.#browser.close();
  }
}
