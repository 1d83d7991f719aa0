import type { SharedMemory } from '../base/shared-memory.ts';
import { WakeWord } from '../base/wake-word.ts';
import { CompilerLayout } from '../cpu/jit/compile-queue.ts';
import { Compiler } from '../cpu/jit/compiler.ts';
import type { RoleCommon } from './roles.ts';

/** The thread that translates hot code for all harts. It ends with the machine. */
export interface CompilerRole extends RoleCommon {
  readonly role: 'compiler';
  /** The compiled interpreter. */
  readonly interpreter: WebAssembly.Module;
}

/** How long units wait for others to share their module. */
const PATIENCE_NS = 4e6;

/** Serves the harts' translators for ever: asleep on its own word, woken by a job or by room for a module. */
export function serveCompiler({ interpreter, layout }: CompilerRole, mem: SharedMemory): never {
  const compiler = new Compiler({
    memory: mem,
    compiler: layout.compiler,
    interpreter,
    harts: layout.harts.map((hartBase, hart) => ({
      hartBase,
      queue: layout.compileQueues[hart] as number,
    })),
  });
  const wake = new WakeWord(mem, layout.compiler + CompilerLayout.at.wake);
  compiler.open();
  for (;;) {
    const ticket = wake.prepareSleep();
    if (compiler.turn(true)) {
      wake.cancelSleep();
      continue;
    }
    const slept = wake.sleep(ticket, compiler.isWaiting ? PATIENCE_NS : Infinity);
    if (slept === 'timed-out') compiler.turn(false);
  }
}
