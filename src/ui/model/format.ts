/** Numbers as the page prints them: short, of stable width, units always named. */

const THIN = '\u202f';

/** 1 204 567, with thin no-break spaces. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/** Three significant digits with a factor: 12.3k, 4.56M. Exact below 1000. */
export function compact(n: number): string {
  if (!Number.isFinite(n)) return '–';
  if (Math.abs(n) < 999.5) return Math.round(n).toString();
  for (const [factor, unit] of [
    [1e3, 'k'],
    [1e6, 'M'],
    [1e9, 'G'],
    [1e12, 'T'],
  ] as const) {
    if (Math.abs(n) < factor * 999.5) return `${three(n / factor)}${unit}`;
  }
  return n.toExponential(2);
}

const three = (x: number): string => (x < 9.995 ? x.toFixed(2) : x < 99.95 ? x.toFixed(1) : x.toFixed(0));

/** Bytes in binary units: 4.00 KiB, 256 MiB. */
export function bytes(n: number): string {
  if (n < 1024) return `${Math.round(n)} B`;
  let value = n;
  for (const unit of ['KiB', 'MiB', 'GiB', 'TiB']) {
    value /= 1024;
    if (value < 1023.5 || unit === 'TiB')
      return `${Number.isInteger(value) ? value.toFixed(0) : three(value)} ${unit}`;
  }
  return '';
}

/** Events per second: below ten with one decimal, so that slow loops don't read as zero. */
export function rate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 9.95) return perSecond < 0.05 ? '<0.1' : perSecond.toFixed(1);
  return compact(perSecond);
}

/** The page's clock steps by 5 µs when isolated: what is below two steps is only known to be small. */
export const CLOCK_FLOOR_NS = 10_000;

/** A duration measured with the page's clock. */
export function duration(ns: number): string {
  if (ns < CLOCK_FLOOR_NS) return '<10 µs';
  if (ns < 999_500) return `${three(ns / 1e3)} µs`;
  if (ns < 999_500_000) return `${three(ns / 1e6)} ms`;
  if (ns < 120e9) return `${three(ns / 1e9)} s`;
  return `${Math.floor(ns / 60e9)} min ${Math.floor((ns / 1e9) % 60)} s`;
}

/** A percentile that may be unknown for want of samples. */
export const percentile = (ns: number | undefined): string => (ns === undefined ? '–' : duration(ns));

/** A share 0..1 in whole percent; anything above nothing is at least <1. */
export function percent(share: number): string {
  if (!Number.isFinite(share) || share <= 0) return '0 %';
  if (share < 0.005) return '<1 %';
  return `${Math.min(100, Math.round(share * 100))} %`;
}
