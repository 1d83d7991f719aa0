import { ObjectModel } from '../qom/object-model.ts';
import { parseCommandLine } from '../qom/options/parse.ts';
import { splitCommandLine } from '../qom/options/shell.ts';
import { FakeMachine } from '../qom/testing/fake-machine.ts';
import { Monitor } from './monitor.ts';
import { QmpSession } from './session.ts';

export const COMMAND_LINE =
  '-name box -object glib-qcontext,id=ctx0,threaded=yes -object iothread,id=t1 -drive file=disk.img,if=none,id=d0,format=raw -device virtio-blk,id=disk0,drive=d0,num-queues=2,context=ctx0 -device virtio-rng';
export const DISK = '/machine/peripheral/disk0';

/** A monitor on a fake machine made from a command line. For tests. */
export async function startMonitor(text = COMMAND_LINE) {
  const parsed = parseCommandLine(splitCommandLine(text).words.map((word) => word.value));
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error(`not a command line to run: ${text}`);
  const machine = new FakeMachine();
  const model = new ObjectModel(machine, parsed.value.config);
  const populated = await model.populate();
  if (!populated.ok) throw new Error(populated.error.desc);
  machine.calls.length = 0;
  const monitor = new Monitor(model, () => 1_700_000_000_123_456_789n);
  return { machine, model, monitor };
}

/** A QMP connection whose lines are kept, parsed. For tests. */
export function connect(monitor: Monitor) {
  const lines: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const session = new QmpSession(monitor, (line) => {
    raw.push(line);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  /** Sends one command and gives what came since. */
  const send = async (text: string) => {
    const before = lines.length;
    await session.receive(text);
    return lines.slice(before);
  };
  return { session, lines, raw, send };
}
