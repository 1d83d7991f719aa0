import type { QueueSnapshot } from '../../../engine/vm.ts';
import { distance, type PackedRing, type SplitRing } from '../../model/virtqueue.ts';
import { FONT_MONO, FONT_SANS, type Theme } from '../../tokens.ts';

/** More slots than this are drawn in bins: a slot must stay wide enough to see and to hit. */
const MAX_CELLS = 128;

export type SlotState = 'free' | 'waiting' | 'taken';

export interface RingPicture {
  readonly size: number;
  readonly slot: (index: number) => SlotState;
  /** Positions named on the ring, e.g. avail.idx. */
  readonly hands: readonly { readonly label: string; readonly slot: number; readonly inner: boolean }[];
  readonly centre: readonly string[];
  /** 0..1, fading: a kick or an interrupt just happened. */
  readonly kick: number;
  readonly interrupt: number;
  /** 0..1, fading: an interrupt was just suppressed. */
  readonly suppressed: number;
}

/** What of a picture is not read from the ring but fades by itself. */
type Pulse = 'kick' | 'interrupt' | 'suppressed';

/** What a split ring shows: how far the driver, the device and completion have come. */
export function splitPicture(ring: SplitRing, queue: QueueSnapshot): Omit<RingPicture, Pulse> {
  const { size } = ring;
  const outstanding = Math.min(size, distance(ring.usedIdx, ring.availIdx));
  // The device's own index is read a moment apart from the ring: never more than there is.
  const waiting = Math.min(outstanding, distance(queue.lastAvail, ring.availIdx));
  const first = ring.usedIdx % size;
  return {
    size,
    slot: (index) => {
      const at = (index - first + size) % size;
      if (at >= outstanding) return 'free';
      return at >= outstanding - waiting ? 'waiting' : 'taken';
    },
    hands: [
      { label: `avail.idx ${ring.availIdx}`, slot: ring.availIdx % size, inner: false },
      { label: `used.idx ${ring.usedIdx}`, slot: first, inner: true },
    ],
    centre: [
      `${outstanding} of ${size}`,
      'in flight',
      outstanding === 0 ? 'idle' : waiting === 0 ? 'all taken' : `${waiting} not yet taken`,
    ],
  };
}

/** What a packed ring shows: descriptors made available and not used, by their two bits. */
export function packedPicture(ring: PackedRing, queue: QueueSnapshot): Omit<RingPicture, Pulse> {
  const next = queue.lastAvail % ring.size;
  const outstanding = ring.slots.filter((slot) => !slot.same).length;
  return {
    size: ring.size,
    slot: (index) => (ring.slots[index]?.same === false ? 'taken' : 'free'),
    hands: [{ label: `device next ${next}`, slot: next, inner: true }],
    centre: [`${outstanding} of ${ring.size}`, 'available', 'packed ring'],
  };
}

/** Cell (a slot, or a bin of slots) at a point of the canvas, for clicks. */
export function slotAt(
  x: number,
  y: number,
  width: number,
  height: number,
  size: number,
): number | undefined {
  const { cx, cy, radius } = geometry(width, height);
  const far = Math.hypot(x - cx, y - cy);
  if (far < radius * 0.6 || far > radius * 1.15) return undefined;
  const turn = (Math.atan2(y - cy, x - cx) / (2 * Math.PI) + 1.25) % 1;
  return Math.min(size - 1, Math.floor(turn * size));
}

/** A canvas narrower than this (px) leaves the ring's corners to the labels only if the ring keeps away from its sides. */
const TIGHT = 270;

const geometry = (width: number, height: number): { cx: number; cy: number; radius: number } => ({
  cx: width / 2,
  cy: height / 2,
  radius: Math.max(30, Math.min(width / 2 - (width < TIGHT ? 42 : 30), height / 2 - 40)),
});

/** Draws the ring. Coordinates are CSS pixels; the caller has scaled the context. */
export function drawRing(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  theme: Theme,
  picture: RingPicture,
  cursor: number | undefined,
): void {
  const { cx, cy, radius } = geometry(width, height);
  const inner = radius * 0.8;
  const cells = Math.min(MAX_CELLS, picture.size);
  const perCell = picture.size / cells;
  const angle = (slot: number): number => (slot / picture.size) * 2 * Math.PI - Math.PI / 2;
  context.clearRect(0, 0, width, height);

  pulse(context, cx, cy, radius + 7, picture.kick, theme.text, []);
  pulse(context, cx, cy, inner - 8, picture.interrupt, theme.text, [3, 3]);
  pulse(context, cx, cy, inner - 12, picture.suppressed, theme.muted, [1, 4]);

  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor(cell * perCell);
    const to = Math.floor((cell + 1) * perCell);
    let state: SlotState = 'free';
    for (let slot = from; slot < to; slot++) {
      const one = picture.slot(slot);
      if (one === 'taken' || (one === 'waiting' && state === 'free')) state = one;
    }
    const gap = cells > 64 ? 0.004 : 0.012;
    sector(context, cx, cy, inner, radius, angle(from) + gap, angle(to) - gap);
    if (state === 'free') {
      context.fillStyle = theme.raised;
      context.fill();
    } else {
      context.fillStyle = state === 'taken' ? theme.text : theme.lineStrong;
      context.fill();
    }
    context.strokeStyle = theme.lineStrong;
    context.lineWidth = 0.75;
    context.stroke();
    if (cursor !== undefined && cursor >= from && cursor < to) {
      sector(context, cx, cy, inner - 4, radius + 4, angle(from), angle(to));
      context.lineWidth = 2;
      context.strokeStyle = theme.text;
      context.stroke();
    }
  }

  context.font = `12px ${FONT_MONO}`;
  const labels = picture.hands.reduce((sum, { label }) => sum + context.measureText(label).width + 24, 0);
  // Where both don't fit above the ring, one stands below it.
  const below = labels > width;
  for (const hand of picture.hands) {
    const at = angle(hand.slot);
    const [r0, r1] = hand.inner ? [inner - 22, inner - 3] : [radius + 3, radius + 20];
    context.strokeStyle = theme.text;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(cx + Math.cos(at) * r0, cy + Math.sin(at) * r0);
    context.lineTo(cx + Math.cos(at) * r1, cy + Math.sin(at) * r1);
    context.stroke();
    // Labels stand in the corners: on the ring they would run into it and into each other.
    context.fillStyle = theme.text;
    context.textBaseline = 'top';
    context.textAlign = hand.inner ? 'right' : 'left';
    const left = hand.inner ? width - 12 : 12;
    const top = hand.inner && below ? height - 38 : 10;
    context.fillText(hand.label, left, top);
    context.fillStyle = theme.muted;
    context.fillText(hand.inner ? 'inner hand' : 'outer hand', left, top + 16);
  }

  context.textAlign = 'center';
  context.textBaseline = 'middle';
  picture.centre.forEach((line, i) => {
    context.font = i === 0 ? `600 14px ${FONT_SANS}` : `12px ${FONT_SANS}`;
    context.fillStyle = i === 0 ? theme.text : theme.muted;
    context.fillText(line, cx, cy + (i - (picture.centre.length - 1) / 2) * 18);
  });
}

function sector(
  context: CanvasRenderingContext2D,
  cx: number,
  cy: number,
  inner: number,
  outer: number,
  from: number,
  to: number,
): void {
  context.beginPath();
  context.arc(cx, cy, outer, from, to);
  context.arc(cx, cy, inner, to, from, true);
  context.closePath();
}

function pulse(
  context: CanvasRenderingContext2D,
  cx: number,
  cy: number,
  radius: number,
  strength: number,
  colour: string,
  dash: number[],
): void {
  if (strength <= 0) return;
  context.save();
  context.globalAlpha = strength;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash(dash);
  context.beginPath();
  context.arc(cx, cy, radius, 0, 2 * Math.PI);
  context.stroke();
  context.restore();
}
