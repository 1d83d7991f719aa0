import type { ThemeName } from '../../tokens.ts';
import { BUCKETS, bucketOf, bucketStart } from './histogram.ts';
import { HEAT_COLUMN_NS, HEAT_COLUMNS, type HeatGrid } from './heat-grid.ts';

/** Rows of the picture: two of the grid's buckets each, from 4 µs up. */
const ROW_BUCKETS = 2;
const FIRST_ROW = Math.floor(bucketOf(4000) / ROW_BUCKETS);
export const HEAT_ROWS = Math.ceil(BUCKETS / ROW_BUCKETS) - FIRST_ROW;

export type HeatCommand =
  | { readonly do: 'show'; readonly dev: number; readonly queue: number; readonly metric: number }
  | { readonly do: 'columns'; readonly count: number }
  | { readonly do: 'point'; readonly x: number; readonly y: number }
  | { readonly do: 'move'; readonly columns: number; readonly rows: number }
  | { readonly do: 'clear' };

/** State of a heat map: of what, how much of it, and the cell that is marked. */
export class HeatView {
  width = 0;
  height = 0;
  scale = 1;
  theme: ThemeName = 'dark';
  dev = -1;
  queue = 0;
  metric = 0;
  /** Columns shown, the newest at the right. */
  columns = 240;
  /** Newest column shown. */
  last = 0;
  cursor: { column: number; row: number } | undefined;
  /** Rows that have been needed so far; the scale grows and does not jump back. */
  low = Math.floor(bucketOf(8000) / ROW_BUCKETS) - FIRST_ROW;
  high = Math.floor(bucketOf(64e6) / ROW_BUCKETS) - FIRST_ROW;

  get left(): number {
    return 56;
  }
  get bottom(): number {
    return 22;
  }
  get cellWidth(): number {
    return (this.width - this.left) / this.columns;
  }
  get cellHeight(): number {
    return (this.height - this.bottom) / (this.high - this.low + 1);
  }
  /** First column shown. */
  get first(): number {
    return this.last - this.columns + 1;
  }

  /** @param grid what is shown; undefined while nothing is */
  command(command: HeatCommand, grid?: HeatGrid): void {
    switch (command.do) {
      case 'show':
        this.dev = command.dev;
        this.queue = command.queue;
        this.metric = command.metric;
        this.cursor = undefined;
        return;
      case 'columns':
        this.columns = Math.max(20, Math.min(HEAT_COLUMNS, command.count));
        return;
      case 'point':
        this.cursor = {
          column: this.first + Math.max(0, Math.floor((command.x - this.left) / this.cellWidth)),
          row: this.high - Math.floor(command.y / this.cellHeight),
        };
        return;
      case 'move': {
        const old = this.cursor;
        if (old === undefined) {
          this.cursor = this.#newest(grid);
          return;
        }
        this.cursor = {
          column: Math.max(this.first, Math.min(this.last, old.column + command.columns)),
          row: Math.max(this.low, Math.min(this.high, old.row + command.rows)),
        };
        return;
      }
      case 'clear':
        this.cursor = undefined;
        return;
    }
  }

  /** Where keys begin: the slowest cell of the newest column that has any. */
  #newest(grid: HeatGrid | undefined): { column: number; row: number } {
    for (let column = this.last; grid !== undefined && column >= this.first; column--)
      for (let row = this.high; row >= this.low; row--)
        if (cellCount(grid, this.metric, column, row) > 0) return { column, row };
    return { column: this.last, row: Math.floor((this.low + this.high) / 2) };
  }
}

/** Edges in ns of row `row` of the picture; the lowest row holds everything below it as well. */
export function rowEdges(row: number): readonly [from: number, to: number] {
  const bucket = (row + FIRST_ROW) * ROW_BUCKETS;
  return [
    row === 0 ? 0 : bucketStart(bucket),
    row === HEAT_ROWS - 1 ? Infinity : bucketStart(bucket + ROW_BUCKETS),
  ];
}

/** Requests in a cell of the picture. */
export function cellCount(grid: HeatGrid, metric: number, column: number, row: number): number {
  const bucket = (row + FIRST_ROW) * ROW_BUCKETS;
  let n = 0;
  for (let i = row === 0 ? 0 : bucket; i < Math.min(BUCKETS, bucket + ROW_BUCKETS); i++)
    n += grid.count(metric, column, i);
  return n;
}

export { HEAT_COLUMN_NS };
