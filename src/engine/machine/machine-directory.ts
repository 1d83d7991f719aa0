import type { RunState } from '../vm.ts';
import type { BoardDirectory } from './board.ts';
import type { MachineParts } from './machine-parts.ts';
import type { BoardDevice } from './board-device.ts';

/** Names and places, for the page. */
export function boardDirectory(
  { contexts, chars, board }: Pick<MachineParts, 'contexts' | 'chars' | 'board'>,
  runState: RunState,
): BoardDirectory {
  return {
    runState,
    serialPorts: chars.terminals(),
    contexts: contexts
      .all()
      .map(({ index, id, qomPath, threaded, worker }) => ({ index, id, qomPath, threaded, worker })),
    devices: board.all().map((device) => ({
      id: device.spec.id ?? device.spec.qomPath.slice(device.spec.qomPath.lastIndexOf('/') + 1),
      qomPath: device.spec.qomPath,
      type: device.spec.driver,
      slot: device.slot,
      movable: true,
      moving: device.moving,
      queueNames: device.model.queues.map(({ name }) => name),
      detail: detailOf(device),
    })),
  };
}

/** What the page says of a device beside its queues. */
function detailOf({ block, link, bus }: BoardDevice): Readonly<Record<string, string | number | boolean>> {
  if (block !== undefined) return { drive: block.plan.spec.id, bytes: block.medium.bytes };
  if (link !== undefined) return { netdev: link.netdev ?? '', linkUp: link.up };
  return bus === undefined ? {} : { ports: bus.describe() };
}
