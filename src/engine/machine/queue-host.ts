import { assert, assertUnreachable } from '../base/assert.ts';
import { BLK_OK, type BlockResult } from '../block/block-backend.ts';
import { CONTROL_HOLD } from '../base/wake-word.ts';
import { HubPort } from '../net/hub/hub-port.ts';
import type { NetBackend } from '../net/net-backend.ts';
import { NullNet } from '../net/null-net.ts';
import { newUserNetState, UserNet } from '../net/user/user-net.ts';
import type { AioContext } from '../qcontext/aio-context.ts';
import { NullChardev } from '../chardev/null-chardev.ts';
import { WireChardev } from '../chardev/wire.ts';
import { VirtioBlkDataPlane } from '../virtio/blk/data-plane.ts';
import { ConsolePort, ConsoleReceiver, ConsoleTransmitter } from '../virtio/console/data-plane.ts';
import { ControlPort, ControlReceiver, ControlTransmitter } from '../virtio/console/control.ts';
import { CONSOLE_CONTROL_RECEIVEQ, CONSOLE_RECEIVEQ } from '../virtio/console/device.ts';
import type { VirtioEnv } from '../virtio/env.ts';
import { VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import { NetPort, NetReceiver, NetTransmitter } from '../virtio/net/data-plane.ts';
import { NET_RECEIVEQ } from '../virtio/net/device.ts';
import { VirtioRngDataPlane } from '../virtio/rng/rng.ts';
import type { VirtQueueHandler } from '../virtio/queue-handler.ts';
import type { BlockPlan } from './block-open.ts';
import { BlockShelf } from './block-shelf.ts';
import { charWire } from './char-wires.ts';
import type { ContextCore } from './context-core.ts';
import { WireControlLink } from './control-link.ts';
import { GuestClock } from './guest-clock.ts';
import { HartWires } from './hart-wires.ts';
import { hubPorts } from './hub-ports.ts';
import { NOTIFIER } from './notifier-table.ts';
import { virtioSlotIrq } from './platform/memory-map.ts';
import { Plic } from './platform/plic.ts';
import type {
  BlockAccess,
  BlockOpened,
  ContextReports,
  ContextService,
  LoopStep,
  LoopTuning,
  NetPeer,
  QueueCargo,
  QueuePlan,
  QueueStart,
  Released,
} from './queue-plan.ts';

interface Served {
  readonly plan: QueuePlan;
  readonly handler: VirtQueueHandler;
}

/**
 * The data planes of one context: its open disks and the virtqueues it serves. Bound to the context's
 * thread; the main context directs it, by messages or, for its own, by direct calls.
 */
export class QueueHost implements ContextService {
  readonly #core: ContextCore;
  readonly #aio: AioContext;
  readonly #plic: Plic;
  readonly #reports: ContextReports;
  readonly #shelf: BlockShelf;
  readonly #queues = new Map<string, Served>();
  /** What two queues share, while any of them is served here. */
  readonly #ports = new Map<
    string,
    ConsolePort | ControlPort | { readonly net: NetPort; readonly peer: NetBackend }
  >();
  readonly #guestClock: GuestClock;

  /** @param aio the loop the data planes run in: the thread's own, or that of a context without a thread */
  constructor(core: ContextCore, aio: AioContext, reports: ContextReports) {
    this.#core = core;
    this.#aio = aio;
    this.#reports = reports;
    this.#shelf = new BlockShelf(core, aio);
    const { mem, layout, tracer, host } = core;
    this.#guestClock = new GuestClock(mem, layout.guestClock, host.clock);
    this.#plic = new Plic(mem, layout.plic, layout.harts.length, new HartWires(mem, layout.harts), tracer);
  }

  openBlock(access: BlockAccess): Promise<BlockOpened> {
    return this.#shelf.open(access);
  }

  prepareBlock(plan: BlockPlan): Promise<void> {
    return this.#shelf.prepare(plan);
  }

  closeBlock(id: string, durable: boolean): Promise<BlockResult> {
    return this.#shelf.close(id, durable);
  }

  resizeBlock(id: string, bytes: number): Promise<BlockResult> {
    return this.#shelf.resize(id, bytes);
  }

  flushBlock(id: string): Promise<BlockResult> {
    return this.#shelf.flush(id);
  }

  startQueues(starts: readonly QueueStart[]): void {
    for (const { plan, cargo } of starts) this.#startQueue(plan, cargo);
  }

  #startQueue(plan: QueuePlan, cargo: QueueCargo): void {
    const { mem } = this.#core;
    const handler = this.#handler(plan, cargo);
    const queueAddr = virtQueueAddr(this.#slotAddr(plan.slot), plan.queue);
    mem.store32(queueAddr + VirtQueueLayout.at.context, plan.context);
    this.#queues.set(key(plan.slot, plan.queue), { plan, handler });
    handler.attach(this.#aio);
    if (handler instanceof VirtioBlkDataPlane) handler.adoptParked(cargo.parked ?? []);
  }

  async release(slot: number, queues: readonly number[], block: string): Promise<Released> {
    const counts = await Promise.all(queues.map((queue) => this.drainQueue(slot, queue)));
    const cargo = this.detachQueues(slot, queues);
    await this.#shelf.close(block, false);
    return { cargo, inFlight: counts.reduce((sum, count) => sum + count, 0) };
  }

  async takeOver(access: BlockAccess, starts: readonly QueueStart[]): Promise<BlockOpened> {
    const opened = await this.#shelf.open(access);
    if (opened.result === BLK_OK) this.startQueues(starts);
    return opened;
  }

  async drainQueue(slot: number, queue: number): Promise<number> {
    const { handler } = this.#served(slot, queue);
    const inFlight = handler.inFlight;
    if (handler.life === 'drained') return 0;
    const drained = this.#core.deferred<void>();
    handler.drainBegin(() => drained.resolve());
    await drained.promise;
    return inFlight;
  }

  resumeQueue(slot: number, queue: number): void {
    this.#served(slot, queue).handler.drainEnd();
  }

  detachQueues(slot: number, queues: readonly number[]): readonly QueueCargo[] {
    return queues.map((queue) => {
      const { handler, plan } = this.#served(slot, queue);
      const cargo = handler instanceof VirtioBlkDataPlane ? { parked: handler.takeParked() } : {};
      handler.detach();
      this.#queues.delete(key(slot, queue));
      const port = portKey(plan);
      const shared = Array.from(this.#queues.values()).some((other) => portKey(other.plan) === port);
      return shared ? cargo : { ...cargo, ...this.#closePort(port) };
    });
  }

  resumeParked(): void {
    for (const { handler } of this.#queues.values())
      if (handler instanceof VirtioBlkDataPlane) handler.resume();
  }

  configure(loop: LoopTuning): void {
    this.#aio.pollParams = {
      maxNs: loop['poll-max-ns'],
      grow: loop['poll-grow'],
      shrink: loop['poll-shrink'],
    };
  }

  hold(): void {
    this.#core.wake.request(CONTROL_HOLD);
  }

  step(limit: number): LoopStep {
    return this.#core.step(limit);
  }

  async quit(): Promise<void> {
    for (const { plan } of Array.from(this.#queues.values())) {
      await this.drainQueue(plan.slot, plan.queue);
      this.detachQueues(plan.slot, [plan.queue]);
    }
    for (const id of this.#shelf.ids()) await this.#shelf.close(id, true);
  }

  #served(slot: number, queue: number): Served {
    const served = this.#queues.get(key(slot, queue));
    assert(served !== undefined, `queue ${queue} of slot ${slot} is not served in ${this.#core.name}`);
    return served;
  }

  #slotAddr(slot: number): number {
    return this.#core.layout.virtioSlots[slot] as number;
  }

  #env(slot: number): VirtioEnv {
    const { mem, ram, host, tracer } = this.#core;
    const line = this.#plic.line(virtioSlotIrq(slot));
    return {
      mem,
      ram,
      clock: host.clock,
      tracer,
      slotAddr: this.#slotAddr(slot),
      dev: slot,
      irq: { raise: () => line.set(true), lower: () => line.set(false) },
    };
  }

  #handler(plan: QueuePlan, cargo: QueueCargo): VirtQueueHandler {
    const env = this.#env(plan.slot);
    const notifier = this.#core.notifiers.get(NOTIFIER.queue(plan.slot, plan.queue));
    switch (plan.kind) {
      case 'blk':
        return new VirtioBlkDataPlane(
          env,
          plan.queue,
          notifier,
          plan.config,
          this.#shelf.get(plan.block),
          (report) => this.#reports.blockError(report),
        );
      case 'rng':
        return new VirtioRngDataPlane(env, notifier, (into) => this.#core.host.randomBytes(into));
      case 'console': {
        const port = this.#consolePort(plan);
        return plan.queue % 2 === CONSOLE_RECEIVEQ
          ? new ConsoleReceiver(env, notifier, port, plan.queue)
          : new ConsoleTransmitter(env, notifier, port, plan.queue);
      }
      case 'console-control': {
        const port = this.#controlPort(plan);
        return plan.queue === CONSOLE_CONTROL_RECEIVEQ
          ? new ControlReceiver(env, notifier, port)
          : new ControlTransmitter(env, notifier, port);
      }
      case 'net': {
        const port = this.#netPort(plan, cargo);
        return plan.queue === NET_RECEIVEQ
          ? new NetReceiver(env, notifier, port)
          : new NetTransmitter(env, notifier, port);
      }
      default:
        return assertUnreachable(plan);
    }
  }

  /** The last queue of a port has left: it goes, and what must not be lost with it travels. */
  #closePort(key: string): QueueCargo {
    const port = this.#ports.get(key);
    this.#ports.delete(key);
    if (port === undefined || !('net' in port)) return {};
    port.peer.close();
    return port.peer instanceof UserNet ? { network: port.peer.state } : {};
  }

  #netPort(plan: QueuePlan & { kind: 'net' }, cargo: QueueCargo): NetPort {
    const { peer, linkUp } = plan;
    const present = this.#ports.get(portKey(plan));
    if (present !== undefined && 'net' in present) return present.net;
    const backend = this.#netBackend(peer, cargo);
    // Without the cable the card talks to nobody, and the network keeps what it knows.
    const net = new NetPort(linkUp ? backend : new NullNet(peer.id), () => {});
    this.#ports.set(portKey(plan), { net, peer: backend });
    return net;
  }

  #netBackend(peer: NetPeer, cargo: QueueCargo): NetBackend {
    switch (peer.type) {
      case 'none':
        return new NullNet(peer.id);
      case 'user':
        return new UserNet(peer.id, peer.config, cargo.network ?? newUserNetState(), {
          aio: this.#aio,
          nowNs: () => this.#guestClock.ns(),
          place: this.#core.name,
        });
      case 'hubport':
        return new HubPort(peer.id, this.#aio, hubPorts(this.#core), peer.port);
      default:
        return assertUnreachable(peer);
    }
  }

  #controlPort(plan: QueuePlan & { kind: 'console-control' }): ControlPort {
    const present = this.#ports.get(portKey(plan));
    if (present instanceof ControlPort) return present;
    const name = `virtio${plan.slot}/control`;
    const port = new ControlPort(new WireControlLink(name, this.#aio, charWire(this.#core, plan.wire)));
    this.#ports.set(portKey(plan), port);
    return port;
  }

  #consolePort(plan: QueuePlan & { kind: 'console' }): ConsolePort {
    const { wire } = plan;
    const present = this.#ports.get(portKey(plan));
    if (present instanceof ConsolePort) return present;
    const name = `virtio${plan.slot}/port${plan.port}`;
    const port = new ConsolePort(
      wire === undefined
        ? new NullChardev(name)
        : new WireChardev(name, this.#aio, charWire(this.#core, wire)),
    );
    this.#ports.set(portKey(plan), port);
    return port;
  }
}

/** What a queue shares with others: its device, or its port of it. */
const portKey = (plan: QueuePlan): string =>
  plan.kind === 'console' ? `${plan.slot}/${plan.port}` : `${plan.slot}/${plan.kind}`;

const key = (slot: number, queue: number): string => `${slot}/${queue}`;
