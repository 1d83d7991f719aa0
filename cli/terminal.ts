import type { Vm } from '../src/engine/index.ts';
import { CharMux } from '../src/engine/qmp/char-mux.ts';
import { HmpConsole } from '../src/engine/qmp/hmp/console.ts';

/**
 * Puts the guest's first serial port on this process's stdin and stdout, with a monitor behind Ctrl-A c, as
 * `-nographic` does. A terminal is made raw. Returns what puts it back.
 */
export function attachTerminal(vm: Vm): () => void {
  const { stdin, stdout } = process;
  const detach = vm.serial.onData((bytes) => stdout.write(bytes));
  const quit = (): void => void vm.qmp('quit');
  const print = (text: string): void => void stdout.write(text);
  const mux = new CharMux(print, quit);
  mux.add({ receive: (text) => vm.serial.write(Buffer.from(text, 'latin1')) });
  let monitor: HmpConsole | undefined;
  mux.add({
    receive: (text) => {
      // Greets when it is first spoken to.
      monitor ??= new HmpConsole(vm, print);
      void monitor.receive(text);
    },
  });
  // Bytes, not characters: what is typed reaches the guest as it came.
  const onInput = (chunk: Buffer): void => mux.receive(chunk.toString('latin1'));
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onInput);
  return () => {
    detach();
    stdin.off('data', onInput);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  };
}
