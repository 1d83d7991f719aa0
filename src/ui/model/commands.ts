import { createContext, deleteContext } from './contexts.ts';
import {
  layout,
  PRESETS,
  type Preset,
  reveal,
  revealInspector,
  revealTerminal,
  revealTimeline,
} from './layout.ts';
import type { Playground } from './playground.ts';
import { SCENARIOS } from './scenarios/catalog.ts';
import { stepCommands } from './step-commands.ts';

/** Something the user can do, as the palette lists it. */
export interface Command {
  readonly id: string;
  readonly label: string;
  readonly group: 'Machine' | 'Move' | 'Contexts' | 'Show' | 'Scenario' | 'Page';
  readonly run: () => void;
}

/** Everything that can be done now, in the order of the page. */
export function availableCommands(playground: Playground): readonly Command[] {
  const { breakpoints, controller, guide, holds, moves } = playground;
  const { phase } = controller.store.getState();
  const board = controller.board.shape();
  const on = phase.kind === 'on';
  const commands: Command[] = [];
  const add = (group: Command['group'], label: string, run: () => void): void => {
    commands.push({ id: `${group}: ${label}`, group, label, run });
  };
  if (on && board?.runState === 'running') add('Machine', 'Pause VM', () => void controller.pause());
  if (on && board?.runState !== 'running') add('Machine', 'Run', () => void controller.resume());
  if (on) add('Machine', 'Reset', () => void controller.reset());
  if (on) add('Machine', 'Ask the guest to shut down', () => void controller.shutdownGuest());
  if (phase.kind === 'off') add('Machine', 'Power on', () => void controller.powerOn());
  if (on) add('Machine', 'Power off and on (applies the command line)', () => void controller.powerOn());
  if (on) add('Machine', 'Cut the power', () => void controller.powerOff());
  for (const device of board?.devices ?? []) {
    if (!device.movable) continue;
    for (const context of board?.contexts ?? []) {
      if (device.queues.every((queue) => queue.context === context.index)) continue;
      add('Move', `Move ${device.id} to ${context.id}`, () => void moves.move(device.qomPath, context.id));
    }
  }
  if (breakpoints.store.getState().all.length > 0)
    add('Contexts', 'Remove all breakpoints', () => void breakpoints.removeAll());
  if (on) add('Contexts', 'Create a context', () => void createContext(controller));
  for (const { commands: steps } of stepCommands(holds, board))
    for (const { label, run } of steps) add('Contexts', label, () => void run());
  for (const context of board?.contexts ?? [])
    if (context.index !== 0)
      add('Contexts', `Delete ${context.id}`, () => void deleteContext(controller, context.id));
  for (const panel of ['command-line', 'monitor', 'images'] as const)
    add('Show', { 'command-line': 'Command line', monitor: 'Monitor', images: 'Images' }[panel], () =>
      reveal(panel),
    );
  for (const [id, label] of Object.entries(INSPECTOR)) add('Show', label, () => revealInspector(id));
  add('Show', 'Timeline', () => revealTimeline());
  add('Show', 'Guest terminal', () => revealTerminal());
  for (const [preset, label] of Object.entries(PRESETS))
    add('Page', `Arrange: ${label}`, () => layout.setState({ preset: preset as Preset }));
  add('Page', 'Show the steps', () => guide.show());
  for (const scenario of SCENARIOS)
    add(
      'Scenario',
      guide.needsRestart(scenario) ? `${scenario.title} (restarts the machine)` : scenario.title,
      () => guide.begin(scenario),
    );
  return commands;
}

/** Tabs of the inspector by id. */
export const INSPECTOR = {
  ring: 'Ring',
  flow: 'Flow',
  waterfall: 'Waterfall',
  'heat-map': 'Heat map',
  tables: 'Tables',
  qom: 'QOM tree',
  events: 'Events',
} as const;
