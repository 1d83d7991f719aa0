import { guestAddr, memAddr } from '../../base/brands.ts';
import { VirtualClock } from '../../base/clock.ts';
import { EventNotifier, EventNotifierLayout } from '../../base/event-notifier.ts';
import { GuestRam } from '../../base/guest-ram.ts';
import { SharedMemory } from '../../base/shared-memory.ts';
import { RecordingTracer } from '../../trace/tracer.ts';
import type { VirtioDeviceModel } from '../device-model.ts';
import { type QueuePlacement, type TransportFeatures, VirtioDevice } from '../device.ts';
import type { VirtioEnv } from '../env.ts';
import { VIRTIO_SLOT_BYTES } from '../layout.ts';
import type { VirtQueueHandler } from '../queue-handler.ts';
import { VirtioMmioFront } from '../transport/mmio.ts';
import { FakeDriver, GuestMemory } from './fake-driver.ts';
import { ManualLoop } from './manual-loop.ts';

const NOTIFIERS_AT = 0x1000;
const SLOT_AT = 0x10_000;
export const RAM_BASE = 0x8000_0000;

/** One slot, one thread: a device, its registers, a driver, and loops that turn when told. */
export class TestMachine {
  readonly mem: SharedMemory;
  readonly ram: GuestRam;
  readonly clock = new VirtualClock(1_000_000);
  readonly tracer = new RecordingTracer();
  readonly env: VirtioEnv;
  /** Level of the interrupt line, and how often it rose. */
  line = false;
  rises = 0;
  readonly loops: ManualLoop[];
  readonly notifiers: EventNotifier[];
  readonly guest: GuestMemory;
  readonly handlers: (VirtQueueHandler | undefined)[] = [];
  #front: VirtioMmioFront | undefined;
  #device: VirtioDevice | undefined;
  #driver: FakeDriver | undefined;

  constructor(options: { ramBytes?: number; loops?: number } = {}) {
    const ramBytes = options.ramBytes ?? 4 * 1024 * 1024;
    // RAM, and a page behind it that nobody may touch.
    const ramAt = Math.ceil((SLOT_AT + VIRTIO_SLOT_BYTES) / 0x10_000) * 0x10_000;
    const pages = Math.ceil((ramAt + ramBytes) / 0x10_000) + 1;
    this.mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
    this.ram = new GuestRam({ base: guestAddr(RAM_BASE), bytes: ramBytes, offset: memAddr(ramAt) });
    this.loops = Array.from(
      { length: options.loops ?? 1 },
      (_, i) => new ManualLoop(`ctx${i}/aio`, this.clock),
    );
    this.notifiers = Array.from(
      { length: 16 },
      (_, fd) => new EventNotifier(this.mem, this.clock, NOTIFIERS_AT, fd),
    );
    if (NOTIFIERS_AT + 16 * EventNotifierLayout.size > SLOT_AT) throw new Error('test machine: layout');
    this.env = {
      mem: this.mem,
      ram: this.ram,
      clock: this.clock,
      tracer: this.tracer,
      slotAddr: SLOT_AT,
      dev: 3,
      irq: {
        raise: () => {
          if (!this.line) this.rises += 1;
          this.line = true;
        },
        lower: () => {
          this.line = false;
        },
      },
    };
    this.guest = new GuestMemory(this.mem, this.ram);
  }

  /** Plugs a device in; `makeHandler` makes the data plane of a queue. */
  plug(
    model: VirtioDeviceModel,
    makeHandler: (queue: number) => VirtQueueHandler,
    transport: Partial<TransportFeatures> = {},
  ): void {
    const placement: QueuePlacement = {
      startQueue: (queue, done) => {
        const handler = makeHandler(queue);
        this.handlers[queue] = handler;
        handler.attach(this.loops[0] as ManualLoop);
        done();
      },
      stopQueue: (queue, done) => {
        const handler = this.handlers[queue] as VirtQueueHandler;
        handler.drainBegin(() => {
          handler.detach();
          this.handlers[queue] = undefined;
          done();
        });
      },
    };
    this.#device = new VirtioDevice(this.env, model, placement, {
      gsi: 8,
      notifierFds: model.queues.map((_, i) => i),
      transport,
    });
    this.#front = new VirtioMmioFront(this.env, this.notifiers, (request) => {
      let over = false;
      this.device.control(request, () => {
        over = true;
      });
      // A hart would wait; here nothing else runs, so a request that is not over waits for the test.
      if (!over && !this.controlMayWait) throw new Error('test machine: control request did not end');
    });
    this.#driver = new FakeDriver(this.guest, this.#front);
  }
  /** A test that finishes control requests itself sets this. */
  controlMayWait = false;

  get front(): VirtioMmioFront {
    if (this.#front === undefined) throw new Error('test machine: nothing plugged in');
    return this.#front;
  }
  get device(): VirtioDevice {
    if (this.#device === undefined) throw new Error('test machine: nothing plugged in');
    return this.#device;
  }
  get driver(): FakeDriver {
    if (this.#driver === undefined) throw new Error('test machine: nothing plugged in');
    return this.#driver;
  }

  /** Turns every loop until all are idle. */
  run(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const loop of this.loops) while (loop.iterate()) busy = true;
    }
  }
}
