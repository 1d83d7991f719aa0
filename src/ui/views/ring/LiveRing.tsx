import { type KeyboardEvent, type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import type { QueueSnapshot, Vm } from '../../../engine/vm.ts';
import { pageFrames } from '../../model/frame-queue.ts';
import { deviceIn } from '../../model/live-board.ts';
import { usePlayground } from '../../model/playground.ts';
import { type PackedRing, readPackedRing, readSplitRing, type SplitRing } from '../../model/virtqueue.ts';
import { THEMES, type ThemeName } from '../../tokens.ts';
import { drawRing, packedPicture, slotAt, splitPicture } from './draw-ring.ts';
import { RingTable } from './RingTable.tsx';
import styles from './RingView.module.css';

/** The ring is drawn ten times a second, the table told every third time. */
const FRAMES_PER_TABLE = 3;
/** A pulse fades in this many frames. */
const FADE = 0.3;

/** Counters whose going on is shown as a pulse. */
type Counted = 'kicks' | 'interrupts' | 'interruptsSuppressed';
/** Where a counter stood, and how bright its pulse is still. */
interface Pulse {
  readonly last: number;
  readonly strength: number;
}
/** Not looked at yet. */
const NEVER: Pulse = { last: -1, strength: 0 };

/** A ring and the counters of its queue, of one moment. */
interface Shown {
  readonly ring: SplitRing | PackedRing;
  readonly queue: QueueSnapshot;
}

/** Draws the ring ten times a second and tells the table beside it three times. */
export function LiveRing({
  vm,
  qomPath,
  index,
  dev,
  theme,
}: {
  readonly vm: Vm;
  readonly qomPath: string;
  readonly index: number;
  /** Slot of the device if the trace follows its requests, as it does a disk's. */
  readonly dev: number | undefined;
  readonly theme: ThemeName;
}): ReactNode {
  const { controller, requests } = usePlayground();
  const canvas = useRef<HTMLCanvasElement>(null);
  const pulses = useRef<Record<Counted, Pulse>>({
    kicks: NEVER,
    interrupts: NEVER,
    interruptsSuppressed: NEVER,
  });
  const drawnAs = useRef('');
  const [cursor, setCursor] = useState<number | undefined>(undefined);
  const [shown, setShown] = useState<Shown | undefined>(undefined);

  const read = useEffectEvent((): Shown | undefined => {
    const queue = deviceIn(controller.board.frame()?.now, qomPath)?.queues.find(
      (other) => other.index === index,
    );
    if (queue === undefined) return undefined;
    const guest = (addr: number, bytes: number): Uint8Array | undefined => vm.readGuest(addr, bytes);
    const ring = queue.packed ? readPackedRing(guest, queue) : readSplitRing(guest, queue);
    return ring === undefined ? undefined : { ring, queue };
  });

  /** False: it looks as it did, and nothing was drawn. */
  const draw = useEffectEvent(({ ring, queue }: Shown): boolean => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element == null || context == null) return false;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    /** How bright the pulse of a counter is now: full when it has just gone on. */
    const pulse = (counter: Counted): number => {
      const { last, strength } = pulses.current[counter];
      const now = !still && last >= 0 && queue[counter] !== last ? 1 : Math.max(0, strength - FADE);
      pulses.current[counter] = { last: queue[counter], strength: now };
      return now;
    };
    const fading = {
      kick: pulse('kicks'),
      interrupt: pulse('interrupts'),
      suppressed: pulse('interruptsSuppressed'),
    };
    const { clientWidth: width, clientHeight: height } = element;
    const scale = devicePixelRatio;
    const picture = ring.kind === 'split' ? splitPicture(ring, queue) : packedPicture(ring, queue);
    // An idle guest changes nothing: then nothing is drawn, and the page sleeps with it.
    const pulsing = Object.values(fading).some((strength) => strength > 0);
    const looks = JSON.stringify([width, height, scale, theme, cursor, pulsing, picture, queue.inFlight]);
    if (looks === drawnAs.current && !pulsing) return false;
    drawnAs.current = looks;
    if (element.width !== Math.round(width * scale) || element.height !== Math.round(height * scale)) {
      element.width = Math.round(width * scale);
      element.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    drawRing(context, width, height, THEMES[theme], { ...picture, ...fading }, cursor);
    return true;
  });

  useEffect(() => {
    let ticks = -1;
    let latest: Shown | undefined;
    let told: Shown | undefined;
    return controller.board.onFrame(() => {
      if (document.hidden) return;
      // Right after the board was read, so that its counters and the ring are of the same moment.
      const now = read();
      if (now === undefined) return;
      pageFrames.add('ring', () => {
        if (draw(now)) latest = now;
        if (++ticks % FRAMES_PER_TABLE !== 0 || latest === told) return;
        told = latest;
        pageFrames.add('ring table', () => setShown(latest));
      });
    });
  }, [controller]);

  const keyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') setCursor(undefined);
    const size = shown?.queue.size ?? 1;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 16, PageUp: -16 }[
      event.key
    ];
    if (step === undefined) return;
    event.preventDefault();
    // From where the driver is.
    const ring = shown?.ring;
    const newest = ring?.kind === 'split' ? (ring.availIdx - 1 + size) % size : 0;
    setCursor((old) => (old === undefined ? newest : (old + step + size) % size));
  };
  return (
    <div className={styles['split']}>
      <canvas
        ref={canvas}
        className={styles['canvas']}
        role="application"
        tabIndex={0}
        aria-label={`Ring of ${qomPath.split('/').at(-1) ?? ''}: arrow keys choose a slot, the table says what is in it, Escape lets it go`}
        onKeyDown={keyDown}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setCursor(
            slotAt(
              event.clientX - box.left,
              event.clientY - box.top,
              box.width,
              box.height,
              shown?.queue.size ?? 1,
            ),
          );
        }}
      />
      {shown === undefined ? null : (
        <RingTable
          ring={shown.ring}
          queue={shown.queue}
          cursor={cursor}
          onHead={dev === undefined ? undefined : (head) => void requests.inWaterfallByHead(dev, index, head)}
        />
      )}
    </div>
  );
}
