import { FONT_SANS, type Theme, THEMES } from '../../tokens.ts';
import { HEAT_COLUMN_NS, HEAT_COLUMNS, type HeatGrid } from './heat-grid.ts';
import { cellCount, HEAT_ROWS, type HeatView, rowEdges } from './heat-view.ts';

type Pen = OffscreenCanvasRenderingContext2D;

/** Labelled latencies, ns. */
const TICKS: readonly (readonly [ns: number, label: string])[] = [
  [10e3, '10 µs'],
  [100e3, '100 µs'],
  [1e6, '1 ms'],
  [10e6, '10 ms'],
  [100e6, '100 ms'],
  [1e9, '1 s'],
  [10e9, '10 s'],
];

/** Draws time × latency; a single request is as visible as the ramp's start, a thousand are full. */
export function paintHeat(pen: Pen, view: HeatView, grid: HeatGrid | undefined, nowNs: number): void {
  const theme = THEMES[view.theme];
  pen.setTransform(view.scale, 0, 0, view.scale, 0, 0);
  pen.fillStyle = theme.surface;
  pen.fillRect(0, 0, view.width, view.height);
  view.last = Math.floor(nowNs / HEAT_COLUMN_NS);
  if (grid !== undefined) growRows(view, grid);
  const plot = view.height - view.bottom;
  pen.fillStyle = theme.sunken;
  pen.fillRect(view.left, 0, view.width - view.left, plot);
  paintAxes(pen, view, theme);
  if (grid === undefined) return;
  const { cellWidth, cellHeight } = view;
  const gap = cellWidth > 5 ? 1 : 0;
  pen.fillStyle = theme.text;
  for (let i = 0; i < view.columns; i++) {
    for (let row = view.low; row <= view.high; row++) {
      const n = cellCount(grid, view.metric, view.first + i, row);
      if (n === 0) continue;
      // One request must be seen; then by decades, a thousand are full.
      pen.globalAlpha = Math.min(1, 0.4 + 0.2 * Math.log10(n));
      const left = view.left + i * cellWidth;
      pen.fillRect(
        left,
        (view.high - row) * cellHeight,
        Math.max(1.5, cellWidth - gap),
        Math.max(2, cellHeight - (cellHeight > 5 ? 1 : 0)),
      );
    }
  }
  pen.globalAlpha = 1;
  const { cursor } = view;
  if (cursor !== undefined && cursor.column >= view.first) {
    pen.strokeStyle = theme.text;
    pen.lineWidth = 2;
    pen.strokeRect(
      view.left + (cursor.column - view.first) * cellWidth - 1,
      (view.high - cursor.row) * cellHeight - 1,
      Math.max(4, cellWidth + 2),
      cellHeight + 2,
    );
  }
}

function growRows(view: HeatView, grid: HeatGrid): void {
  for (let row = 0; row < HEAT_ROWS; row++) {
    if (row >= view.low && row <= view.high) continue;
    for (let column = Math.max(0, grid.newest - HEAT_COLUMNS + 1); column <= grid.newest; column++) {
      if (cellCount(grid, view.metric, column, row) === 0) continue;
      view.low = Math.min(view.low, row);
      view.high = Math.max(view.high, row);
      break;
    }
  }
}

function paintAxes(pen: Pen, view: HeatView, theme: Theme): void {
  pen.font = `11px ${FONT_SANS}`;
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  for (const [ns, label] of TICKS) {
    let row = view.low;
    while (row <= view.high && rowEdges(row)[1] <= ns) row++;
    if (row > view.high || rowEdges(view.low)[0] > ns) continue;
    const [from, to] = rowEdges(row);
    const within = Math.log(ns / Math.max(1, from)) / Math.log(to / Math.max(1, from));
    const y = (view.high - row + 1 - within) * view.cellHeight;
    if (y < 6) continue;
    pen.fillStyle = theme.line;
    pen.fillRect(view.left, Math.round(y), view.width - view.left, 1);
    pen.fillStyle = theme.muted;
    pen.fillText(label, view.left - 6, y);
  }
  const seconds = (view.columns * HEAT_COLUMN_NS) / 1e9;
  const step = [1, 2, 5, 10, 20, 30, 60].find((s) => (s / seconds) * (view.width - view.left) > 70) ?? 60;
  pen.textBaseline = 'alphabetic';
  for (let ago = 0; ago < seconds; ago += step) {
    const at = view.width - (ago / seconds) * (view.width - view.left);
    pen.textAlign = ago === 0 ? 'right' : 'center';
    pen.fillStyle = theme.muted;
    pen.fillText(ago === 0 ? 'now' : `−${ago} s`, at - (ago === 0 ? 4 : 0), view.height - 7);
  }
}
