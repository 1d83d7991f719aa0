/** A moment since the machine's start, with as many digits as a step between neighbours needs. */
export function spanText(ns: number, stepNs: number): string {
  const seconds = ns / 1e9;
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(stepNs / 1e9))));
  return `${seconds.toFixed(digits)} s`;
}

/** A moment in full: seconds, with microseconds in groups. */
export function momentText(ns: number): string {
  const us = Math.round(ns / 1e3);
  const seconds = Math.floor(us / 1e6);
  const rest = (us - seconds * 1e6).toString().padStart(6, '0');
  return `${seconds}.${rest.slice(0, 3)}\u202f${rest.slice(3)} s`;
}
