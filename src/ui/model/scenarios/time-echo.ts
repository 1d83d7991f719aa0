import type { SerialPort } from '../../../engine/vm.ts';

/** Between two letters, as a fast typist would (ms). */
const PAUSE_MS = 60;
/** A letter that has not come back by then is left out (ms). */
const PATIENCE_MS = 5000;
/** Control-U: the guest's line editor throws the line away. */
const KILL_LINE = '\u0015';

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Types letters at a guest's shell, each after the one before came back, and measures in ns what each took from the
 * keyboard to its echo: page → serial port → guest's terminal → serial port → page.
 *
 * @param nowMs a clock
 */
export async function timeEcho(
  serial: SerialPort,
  letters: string,
  nowMs: () => number = () => performance.now(),
  pauseMs = PAUSE_MS,
  patienceMs = PATIENCE_MS,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (const letter of letters) {
    const took = await echoOf(serial, letter, nowMs, patienceMs);
    if (took !== undefined) times.push(took * 1e6);
    await wait(pauseMs);
  }
  serial.write(KILL_LINE);
  return times;
}

function echoOf(
  serial: SerialPort,
  letter: string,
  nowMs: () => number,
  patienceMs: number,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    let typed: number | undefined;
    const code = letter.charCodeAt(0);
    let off = (): void => {};
    const timer = setTimeout(() => end(undefined), patienceMs);
    const end = (took: number | undefined): void => {
      clearTimeout(timer);
      off();
      resolve(took);
    };
    off = serial.onData((bytes) => {
      // What a log repeats from before the letter was typed is not its echo.
      if (typed !== undefined && bytes.includes(code)) end(nowMs() - typed);
    });
    typed = nowMs();
    serial.write(letter);
  });
}
