import { say, tell } from './announcer.ts';
import { addContext, removeContext } from './command-line-edits.ts';
import type { VmController } from './vm-controller.ts';

/** Creates a context with a thread of its own in the running machine; its id is the first free `ctxN`. */
export async function createContext(controller: VmController): Promise<void> {
  const taken = new Set(controller.board.frame()?.now.contexts.map((context) => context.id));
  let n = 0;
  while (taken.has(`ctx${n}`)) n++;
  const id = `ctx${n}`;
  const error = await controller.command('object-add', { 'qom-type': 'glib-qcontext', id, threaded: true });
  if (error !== undefined) {
    return controller.showProblem({
      title: `${id} was not created`,
      detail: error.desc,
      hint: error.hint,
      ways: ['dismiss'],
    });
  }
  controller.applyLive((text) => addContext(text, id));
  say(`Created ${id}: an event loop on a thread of its own`);
}

/** Deletes a context; refused while it serves anything, and then nothing changes. */
export async function deleteContext(controller: VmController, id: string): Promise<void> {
  const error = await controller.command('object-del', { id });
  if (error !== undefined) {
    return controller.showProblem({
      title: `${id} was not deleted`,
      detail: error.desc,
      hint: error.hint ?? 'Move what it serves to another context first.',
      ways: ['dismiss'],
    });
  }
  controller.applyLive((text) => removeContext(text, id));
  tell(`Deleted ${id}`);
}
