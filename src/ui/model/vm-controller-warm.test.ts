import { expect, it } from 'vitest';
import type { QmpEvent, Vm } from '../../engine/vm.ts';
import type { VmResult } from './engine-types.ts';
import { VmController } from './vm-controller.ts';
import type { WarmPlan, WarmStart } from './warm-start/warm-start.ts';

const PLAN: WarmPlan = { argv: ['-loadvm', 'warm-1'], output: 'old\r\n# ', savedAt: 5, why: undefined };

function setUp(refusal: (argv: readonly string[]) => string | undefined = () => undefined) {
  const log: string[] = [];
  let emit: (event: QmpEvent) => void = () => {};
  const vm = {
    serial: { write: () => {}, onData: () => () => {} },
    serialPortIds: () => [],
    board: () => ({ timeNs: 0, runState: 'running', contexts: [], devices: [], harts: [] }),
    onEvent: (listener: (event: QmpEvent) => void) => {
      emit = listener;
      return () => {};
    },
    ended: new Promise(() => {}),
    dispose: () => Promise.resolve(),
  } as unknown as Vm;
  const warm = {
    plan: () => Promise.resolve(PLAN),
    watch: (...[, , , , plan]: Parameters<WarmStart['watch']>) => {
      log.push(`watch ${plan?.savedAt}`);
      return () => {};
    },
    forget: () => log.push('forget'),
  } as unknown as WarmStart;
  const controller = new VmController({
    commandLine: '-m 64',
    prepare: async () => {},
    warm,
    makeVm: async (argv): Promise<VmResult> => {
      log.push(argv.join(' '));
      const desc = refusal(argv);
      return desc === undefined
        ? { ok: true, value: vm }
        : { ok: false, error: { class: 'GenericError', desc } };
    },
  });
  const origin = () => controller.store.getState().origin;
  return { controller, log, origin, emit: (event: QmpEvent) => emit(event) };
}

it('goes on from the snapshot with what the terminal showed; a reset boots', async () => {
  const { controller, log, origin, emit } = setUp();
  await controller.powerOn({ resume: true });
  expect(log).toEqual(['-m 64 -loadvm warm-1', 'watch 5']);
  expect(origin()).toEqual({ kind: 'restored', savedAt: 5 });
  const { phase } = controller.store.getState();
  let shown = '';
  if (phase.kind === 'on') phase.serial.onData((bytes) => (shown += new TextDecoder().decode(bytes)));
  expect(shown).toBe('old\r\n# ');
  emit({ event: 'RESET', timestamp: { seconds: 0, microseconds: 0 } });
  expect(origin()).toEqual({ kind: 'booted', why: undefined });
});

it('boots when the snapshot is refused, and knows why', async () => {
  const { controller, log, origin } = setUp((argv) =>
    argv.includes('-loadvm') ? "snapshot 'warm-1' cannot be loaded: it is damaged: a checksum" : undefined,
  );
  await controller.powerOn({ resume: true });
  expect(log).toEqual(['-m 64 -loadvm warm-1', '-m 64', 'watch undefined']);
  expect(origin()).toEqual({ kind: 'booted', why: 'it is damaged: a checksum' });
  expect(controller.store.getState().problem).toBeUndefined();
});

it('does not try again what has nothing to do with the snapshot', async () => {
  const { controller, log } = setUp(() => "the disk 'root.img' is open in another tab or machine");
  await controller.powerOn({ resume: true });
  expect(log).toEqual(['-m 64 -loadvm warm-1']);
  expect(controller.store.getState().problem?.detail).toContain('another tab');
});

it('boots when asked to power on, and forgets the snapshot of a machine whose power was cut', async () => {
  const { controller, log, origin } = setUp();
  await controller.powerOn();
  expect([log, origin()]).toEqual([['-m 64', 'watch undefined'], { kind: 'booted', why: undefined }]);
  await controller.powerOff();
  expect(log.at(-1)).toBe('forget');
});

it('keeps nothing of a machine that is not to be kept', async () => {
  const { controller, log } = setUp();
  await controller.powerOn({ keep: false });
  expect(log).toEqual(['-m 64']);
});
