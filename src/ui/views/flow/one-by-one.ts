import { duration } from '../../model/format.ts';
import type { ListedRequest } from '../../model/trace/protocol.ts';
import { firstTime, P } from '../../model/trace/stages.ts';

/** A token takes this long over the six stations, however short its request was. */
const CROSSING_MS = 1600;

/** When the request was at each station, counted from its kick (or pop), in the order of the stations. */
export function moments({ req, times }: ListedRequest): readonly string[] {
  const first = firstTime(times);
  const at = (point: number): string => {
    const time = times[point] as number;
    return Number.isNaN(time) ? 'not seen' : `+${duration(Math.max(0, time - first))}`;
  };
  const acknowledged = Number.isNaN(times[P.ack]) ? '' : `, back ${at(P.ack)}`;
  return [
    `#${req}${acknowledged}`,
    `taken ${at(P.pop)}`,
    Number.isNaN(times[P.kick]) ? 'no kick needed' : 'kick at 0',
    `begun ${at(P.dispatch)}`,
    `done ${at(P.complete)}`,
    `used ${at(P.used)}`,
  ];
}

/**
 * Sends a token for each request from station to station, in even steps: slow motion. Only while every request can be
 * shown; never when the person asked for less motion.
 */
export function sendTokens(list: HTMLElement, requests: readonly ListedRequest[], className: string): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const stations = [...list.children].filter((child) => child instanceof HTMLLIElement);
  for (const request of requests) {
    const token = document.createElement('span');
    token.className = className;
    token.setAttribute('aria-hidden', 'true');
    token.dataset['request'] = String(request.req);
    list.parentElement?.append(token);
    const frames = stations.map((station) => ({
      transform: `translate(${station.offsetLeft + station.offsetWidth / 2}px, ${station.offsetTop + 2}px)`,
    }));
    const animation = token.animate(frames, { duration: CROSSING_MS, easing: 'ease-in-out' });
    animation.onfinish = () => token.remove();
    animation.oncancel = () => token.remove();
  }
}
