import { parentPort, workerData } from 'node:worker_threads';
import { assertUnreachable } from '../../../src/engine/base/assert.ts';
import { EventNotifier } from '../../../src/engine/base/event-notifier.ts';
import { SharedMemory } from '../../../src/engine/base/shared-memory.ts';
import { CONTROL_QUIT, WakeWord } from '../../../src/engine/base/wake-word.ts';
import { LoopClock } from '../../../src/engine/qcontext/loop-clock.ts';
import { createThreadContext } from '../../../src/engine/qcontext/thread-context.ts';
import { nullTracer } from '../../../src/engine/trace/tracer.ts';
import { type AtomicsJob, type EchoJob, type Job, type JobReport, PLACES, type QueueJob } from './jobs.ts';

/** One clock for all threads of the process. */
const clock = { nowNs: (): number => Number(process.hrtime.bigint()) };

function createThread({ memory, thread }: Job, maySpin: boolean) {
  const mem = new SharedMemory(memory);
  const wake = new WakeWord(mem, PLACES.wake(thread));
  const notifier = (fd: number): EventNotifier => new EventNotifier(mem, clock, PLACES.notifiers, fd);
  const context = createThreadContext({
    id: `thread${thread}`,
    index: thread,
    wake,
    clock: new LoopClock(clock),
    tracer: nullTracer,
    isReadable: (fd) => notifier(fd).isSet(),
    macrotask: () => new Promise((resolve) => setImmediate(resolve)),
    maySpin: () => maySpin,
    log: { warning: (message) => process.stderr.write(`${message}\n`) },
  });
  return { mem, wake, notifier, ...context };
}

async function echo(job: EchoJob): Promise<JobReport> {
  const { wake, notifier, aio, loop } = createThread(job, false);
  const [input, output] = [notifier(job.inFd), notifier(job.outFd)];
  const roundTripsNs = new Float64Array(job.leads ? job.rounds : 0);
  let rounds = 0;
  let sentNs = 0;
  const answer = (): void => {
    if (job.leads) roundTripsNs[rounds] = clock.nowNs() - sentNs;
    rounds++;
    if (rounds === job.rounds) wake.request(CONTROL_QUIT);
    if (rounds === job.rounds && job.leads) return;
    sentNs = clock.nowNs();
    output.set();
  };
  if (job.bottomHalf === true) {
    aio.bhNewShared('echo', input, answer);
  } else {
    aio.setEventNotifier(
      input,
      {
        ioRead: () => {
          if (input.testAndClear()) answer();
        },
      },
      'echo',
    );
  }
  parentPort?.postMessage('ready');
  if (job.leads) {
    sentNs = clock.nowNs();
    output.set();
  }
  await loop.runUntilQuit();
  return { roundTripsNs };
}

function atomics({ memory, inWord, outWord, rounds, leads }: AtomicsJob): JobReport {
  const mem = new SharedMemory(memory);
  const roundTripsNs = new Float64Array(leads ? rounds : 0);
  parentPort?.postMessage('ready');
  for (let i = 1; i <= rounds; i++) {
    const start = clock.nowNs();
    if (leads) {
      mem.store32(outWord, i);
      mem.notify32(outWord);
    }
    while (mem.load32(inWord) !== i) mem.wait32(inWord, i - 1, Infinity);
    if (leads) {
      roundTripsNs[i - 1] = clock.nowNs() - start;
    } else {
      mem.store32(outWord, i);
      mem.notify32(outWord);
    }
  }
  return { roundTripsNs };
}

async function queue(job: QueueJob): Promise<JobReport> {
  const { mem, wake, notifier, aio, loop } = createThread(job, true);
  const input = notifier(job.inFd);
  let [used, polled, signalled] = [0, 0, 0];
  const consume = (): number => {
    const avail = mem.load32(job.avail);
    const news = avail - used;
    used = avail;
    mem.store32(job.used, used);
    mem.notify32(job.used);
    if (used === job.rounds) wake.request(CONTROL_QUIT);
    return news;
  };
  aio.setEventNotifier(
    input,
    {
      ioRead: () => {
        input.testAndClear();
        signalled += consume();
      },
      ioPoll: () => mem.load32(job.avail) !== used,
      ioPollReady: () => {
        polled += consume();
      },
      ioPollBegin: () => mem.store32(job.silent, 1),
      ioPollEnd: () => mem.store32(job.silent, 0),
    },
    'queue',
  );
  parentPort?.postMessage('ready');
  await loop.runUntilQuit();
  return { roundTripsNs: new Float64Array(), polled, signalled };
}

async function run(job: Job): Promise<JobReport> {
  switch (job.job) {
    case 'echo':
      return echo(job);
    case 'queue':
      return queue(job);
    case 'atomics':
      return atomics(job);
    default:
      return assertUnreachable(job);
  }
}

const job: Job = workerData;
parentPort?.postMessage(await run(job));
