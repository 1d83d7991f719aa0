import type { MachineConfig } from '../qom/options/config.ts';
import type { VmEnd } from '../vm.ts';
import type { BlockNodes } from './block-nodes.ts';
import type { BoardDirectory } from './board.ts';
import type { Breakpoints } from './breakpoints.ts';
import type { CharDevices } from './char-devices.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory } from './context-directory.ts';
import type { GuestClock } from './guest-clock.ts';
import type { HartPark } from './hart-park.ts';
import type { Holds } from './holds.ts';
import type { MainPlatform } from './main-platform.ts';
import type { NetDevices } from './net-devices.ts';
import type { BootPlan } from './platform/loader.ts';
import type { VirtioBoard } from './virtio-board.ts';

/** The parts a machine is made of; the composition root makes them (main-thread.ts). */
export interface MachineParts {
  readonly core: ContextCore;
  readonly config: MachineConfig;
  readonly boot: BootPlan;
  readonly contexts: ContextDirectory;
  readonly holds: Holds;
  readonly breakpoints: Breakpoints;
  readonly blocks: BlockNodes;
  readonly chars: CharDevices;
  readonly nets: NetDevices;
  readonly board: VirtioBoard;
  readonly harts: HartPark;
  readonly platform: MainPlatform;
  readonly guestClock: GuestClock;
  /** Runs a change when no object, device or disk is being made, moved or deleted, and keeps those off until it is over. */
  readonly exclusive: <T>(change: () => Promise<T>) => Promise<T>;
  /** Told of names and places for the page, whenever they change. */
  readonly onDirectory: (directory: BoardDirectory) => void;
  /** The machine is over: its threads have let go. */
  readonly onEnded: (end: VmEnd) => void;
}
