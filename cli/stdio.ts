import type { Vm } from '../src/engine/index.ts';

const CTRL_A = 0x01;

/**
 * Puts the guest's first serial port on this process's stdin and stdout, as `-nographic` does: a terminal is
 * made raw, Ctrl-A x ends the machine, Ctrl-A Ctrl-A sends a Ctrl-A. Returns what puts the terminal back.
 */
export function attachStdio(vm: Vm): () => void {
  const { stdin, stdout } = process;
  const detach = vm.serial.onData((bytes) => stdout.write(bytes));
  let escaped = false;
  const onInput = (chunk: Buffer): void => {
    const out: number[] = [];
    for (const byte of chunk) {
      if (escaped) {
        escaped = false;
        if (byte === 0x78 || byte === 0x58) {
          void vm.qmp('quit');
          return;
        }
        out.push(byte);
      } else if (byte === CTRL_A) {
        escaped = true;
      } else {
        out.push(byte);
      }
    }
    if (out.length > 0) vm.serial.write(Uint8Array.from(out));
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onInput);
  const stop = (): void => void vm.qmp('quit');
  process.on('SIGTERM', stop);
  if (!stdin.isTTY) process.on('SIGINT', stop);
  return () => {
    detach();
    stdin.off('data', onInput);
    stdin.pause();
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    if (stdin.isTTY) stdin.setRawMode(false);
  };
}
