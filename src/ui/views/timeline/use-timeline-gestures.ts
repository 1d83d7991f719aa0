import { type KeyboardEvent, type PointerEvent, useEffect, useEffectEvent, useRef } from 'react';
import { plotLeft, RULER } from '../../model/trace/timeline-geometry.ts';
import type { TimelineCommand } from '../../model/trace/timeline-view.ts';

/** Pixels a pointer may tremble and still click. */
const CLICK = 4;

type Send = (command: TimelineCommand) => void;
/** What keys ask of the page and not of the picture: to search, and to open the request at the cursor. */
type Asks = { readonly [A in 'search' | 'request']: () => void };
interface Touch {
  readonly x: number;
  readonly y: number;
}

/**
 * What hands do to the timeline. Mouse: drag selects, drag on the ruler or with Shift moves, the wheel zooms at the
 * pointer. Touch: one finger moves, two zoom, a tap points. Keys: W S zoom, A D move, arrows step from event to event.
 */
export function useTimelineGestures(host: HTMLElement | undefined, send: Send, asks: Asks) {
  const pointers = useRef(new Map<number, Touch>());
  const drag = useRef<
    { kind: 'select' | 'pan'; x: number; y: number; last: number; moved: boolean } | undefined
  >(undefined);

  const wheel = useEffectEvent((event: WheelEvent): void => {
    if (host === undefined) return;
    event.preventDefault();
    const { width, fraction } = measure(host, event.clientX);
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.shiftKey || sideways) send({ do: 'pan', by: (sideways ? event.deltaX : event.deltaY) / width });
    else send({ do: 'zoom', factor: Math.exp(event.deltaY * 0.0016), at: fraction });
  });
  // React's wheel listener is passive: it could not keep the page from scrolling.
  useEffect(() => {
    if (host === undefined) return;
    const turned = (event: WheelEvent): void => wheel(event);
    host.addEventListener('wheel', turned, { passive: false });
    return () => host.removeEventListener('wheel', turned);
  }, [host]);

  const down = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button > 1) return;
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const y = event.clientY - element.getBoundingClientRect().top;
    const pan = event.pointerType === 'touch' || event.shiftKey || event.button === 1 || y < RULER;
    drag.current = { kind: pan ? 'pan' : 'select', x: event.clientX, y, last: event.clientX, moved: false };
  };

  const move = (event: PointerEvent<HTMLDivElement>): void => {
    const was = pointers.current.get(event.pointerId);
    const now = drag.current;
    if (was === undefined || now === undefined) return;
    const { width, fraction } = measure(event.currentTarget, event.clientX);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (other !== undefined) {
      const before = Math.hypot(was.x - other.x, was.y - other.y);
      const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      const middle = measure(event.currentTarget, (event.clientX + other.x) / 2).fraction;
      now.moved = true;
      if (after > 0) send({ do: 'zoom', factor: before / after, at: middle });
      return;
    }
    if (!now.moved && Math.abs(event.clientX - now.x) < CLICK) return;
    now.moved = true;
    if (now.kind === 'pan') {
      send({ do: 'pan', by: (now.last - event.clientX) / width });
      now.last = event.clientX;
    } else send({ do: 'select', from: measure(event.currentTarget, now.x).fraction, to: fraction });
  };

  const up = (event: PointerEvent<HTMLDivElement>): void => {
    pointers.current.delete(event.pointerId);
    const was = drag.current;
    if (pointers.current.size > 0) return;
    drag.current = undefined;
    if (was !== undefined && !was.moved && event.type === 'pointerup')
      send({ do: 'point', at: measure(event.currentTarget, event.clientX).fraction, y: was.y });
  };

  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const command = commandOf(event.key, event.shiftKey);
    if (command === undefined) return;
    event.preventDefault();
    if (command === 'search' || command === 'request') asks[command]();
    else send(command);
  };
  return { onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: up, onKeyDown: key };
}

function commandOf(key: string, shift: boolean): TimelineCommand | keyof Asks | undefined {
  switch (key.toLowerCase()) {
    case 'w':
    case '+':
    case '=':
      return { do: 'zoom', factor: 1 / 1.5, at: undefined };
    case 's':
    case '-':
      return { do: 'zoom', factor: 1.5, at: undefined };
    case 'a':
      return { do: 'pan', by: -0.2 };
    case 'd':
      return { do: 'pan', by: 0.2 };
    case 'arrowright':
      return { do: 'step', by: 1, extend: shift };
    case 'arrowleft':
      return { do: 'step', by: -1, extend: shift };
    case 'arrowdown':
      return { do: 'lane', by: 1 };
    case 'arrowup':
      return { do: 'lane', by: -1 };
    case 'enter':
      return { do: 'select-slice' };
    case 'escape':
      return { do: 'clear' };
    case 'home':
      return { do: 'all' };
    case 'end':
      return { do: 'follow', on: true };
    case 'r':
      return 'request';
    case '/':
      return 'search';
    default:
      return undefined;
  }
}

function measure(
  element: HTMLElement,
  clientX: number,
): { readonly width: number; readonly fraction: number } {
  const box = element.getBoundingClientRect();
  const left = plotLeft(box.width);
  const width = Math.max(1, box.width - left);
  return { width, fraction: Math.min(1, Math.max(0, (clientX - box.left - left) / width)) };
}
