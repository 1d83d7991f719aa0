import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeVm } from '../testing/fake-vm.ts';
import { Guide } from './guide.ts';
import { Moves } from './moves.ts';
import { scenarioById } from './scenarios/catalog.ts';
import { VmController } from './vm-controller.ts';

const STANDARD = [
  '-object glib-qcontext,id=ctx0,threaded=yes',
  '-drive if=none,id=drive0,file=root.img,format=raw',
  '-device virtio-blk,id=disk0,drive=drive0,context=ctx0',
].join('\n');

/** How long the guide may take to see something, in ms: on a busy machine more than waitFor's own second. */
const PATIENCE_MS = 20_000;

const controllers: VmController[] = [];
afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.powerOff();
});

function guided(): { controller: VmController; guide: Guide; made: (readonly string[])[] } {
  const made: (readonly string[])[] = [];
  const controller = new VmController({
    commandLine: STANDARD,
    prepare: () => Promise.resolve(),
    makeVm: (argv) => {
      made.push(argv);
      return Promise.resolve({ ok: true, value: new FakeVm(argv) });
    },
  });
  controllers.push(controller);
  return {
    controller,
    guide: new Guide(controller, new Moves(controller), STANDARD, () => Promise.resolve(undefined)),
    made,
  };
}

const scenario = (id: string) => {
  const found = scenarioById(id);
  if (found === undefined) throw new Error(`no scenario ${id}`);
  return found;
};

describe('guide', () => {
  it('begins a scenario on a machine with its configuration, and restarts only where it needs to', async () => {
    const { controller, guide, made } = guided();
    await controller.powerOn();
    expect(guide.needsRestart(scenario('kicks'))).toBe(false);
    guide.begin(scenario('kicks'));
    expect(made).toHaveLength(1);
    expect(guide.needsRestart(scenario('typing'))).toBe(true);
    guide.begin(scenario('typing'));
    await vi.waitFor(() => expect(made).toHaveLength(2), PATIENCE_MS);
    expect(made[1]?.join(' ')).toContain('context=main');
    await vi.waitFor(() => expect(guide.needsRestart(scenario('typing'))).toBe(false), PATIENCE_MS);
  });

  it('goes on from the prompt by itself, and with a step only after its button', async () => {
    const { controller, guide } = guided();
    await controller.powerOn();
    await vi.waitFor(() => expect(guide.step?.id).toBe('read'), PATIENCE_MS);
    // The fake disk is at work all the time: only a press makes that this step's.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(guide.step?.id).toBe('read');
    guide.act();
    expect(guide.store.getState().waiting).toBe(true);
    await vi.waitFor(() => expect(guide.step?.id).toBe('load'), PATIENCE_MS);
    expect(guide.store.getState().finding).toMatch(/crossed the ring/);
  });

  it('takes up a link’s step once the guest can be typed to', async () => {
    const { controller, guide } = guided();
    guide.resume('typing', 'move');
    await controller.powerOn();
    await vi.waitFor(() => expect(guide.step?.id).toBe('move'), PATIENCE_MS);
    expect(guide.store.getState().scenario.id).toBe('typing');
  });

  it('says that it does not know a scenario, and stays where it is', async () => {
    const { controller, guide } = guided();
    guide.resume('of-tomorrow', 'x');
    await controller.powerOn();
    // Still there when the guest has come to its prompt.
    await vi.waitFor(() => expect(guide.step?.id).toBe('read'), PATIENCE_MS);
    expect(guide.store.getState().notice).toContain('of-tomorrow');
    expect(guide.store.getState().scenario.id).toBe('first-steps');
  });
});
