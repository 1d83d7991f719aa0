import type { PageMachine } from './browser.ts';

/** The events that are on: at a machine's start, those a visitor has. */
export async function eventsThatAreOn(machine: PageMachine): Promise<readonly string[]> {
  const states = (await machine.qmp('trace-event-get-state', { name: '*' })) as readonly {
    readonly name: string;
    readonly state: string;
  }[];
  return states.filter(({ state }) => state === 'enabled').map(({ name }) => name);
}

export async function switchEvents(
  machine: PageMachine,
  names: readonly string[],
  enable: boolean,
): Promise<void> {
  for (const name of names) await machine.qmp('trace-event-set-state', { name, enable });
}
