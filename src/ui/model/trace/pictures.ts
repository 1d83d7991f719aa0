import { THEMES } from '../../tokens.ts';
import { HEAT_COLUMN_NS, type HeatCommand, HeatView } from './heat-view.ts';
import type { Labels } from './labels.ts';
import { paintHeat } from './paint-heat.ts';
import { paintTimeline } from './paint-timeline.ts';
import { heatStatus, timelineStatus } from './picture-status.ts';
import type { FromAggregator, ToAggregator } from './protocol.ts';
import { type TimelineCommand, TimelineView } from './timeline-view.ts';
import type { TraceModel } from './trace-model.ts';

const PAINT_MS = 50;
/** A moving picture may take this share of the thread, and what it then costs the compositor; else it comes less often. */
const PAINT_SHARE = 0.025;
const PAINT_LONGEST_MS = 200;
const PAINT_QUIET_MS = 500;
/** A heat map changes slowly. */
const HEAT_MS = 120;
/** While nobody does anything; what a person does is answered at once. */
const STATUS_MS = 250;

/** A canvas and what it shows. */
interface Common<Kind extends string, View> {
  readonly kind: Kind;
  readonly pen: OffscreenCanvasRenderingContext2D;
  view: View;
  dirty: boolean;
  /** When it was painted and when its status was told last, ms; 0: told is due. */
  painted: number;
  told: number;
  /** Of a painting, smoothed, ms. */
  cost: number;
}
type Picture = Common<'timeline', TimelineView> | Common<'heat', HeatView>;

/** What there is to be shown. */
export interface Shown {
  readonly model: TraceModel;
  readonly labels: Labels;
  /** The machine is there and writes records. */
  readonly alive: boolean;
  /** Host ns: now, or of the newest record of a machine that is gone. */
  readonly nowNs: number;
}

/**
 * The canvases the page has handed to the aggregator's worker: a view of the model for each, painted when it has
 * changed and as often as that can be afforded.
 */
export class Pictures {
  readonly #post: (message: FromAggregator) => void;
  readonly #nowMs: () => number;
  readonly #pictures = new Map<number, Picture>();
  readonly #filterTexts = new Map<number, string>();
  #paintMs = 0;
  /** What moves by itself moves this often at most, ms: the machine wants the cores itself. 0: as often as can be afforded. */
  leastMs = 0;

  /** @param nowMs `performance.timeOrigin + performance.now()` */
  constructor(post: (message: FromAggregator) => void, nowMs: () => number) {
    this.#post = post;
    this.#nowMs = nowMs;
  }

  get(id: number): Picture | undefined {
    return this.#pictures.get(id);
  }

  add({ id, kind, canvas }: Extract<ToAggregator, { type: 'canvas' }>, labels: Labels): void {
    // Not opaque: before its first picture Firefox shows an opaque canvas black.
    const pen = canvas.getContext('2d');
    if (pen === null) return;
    const common = { pen, dirty: true, painted: 0, told: 0, cost: 0 };
    const picture: Picture =
      kind === 'timeline'
        ? { kind, view: new TimelineView(labels), ...common }
        : { kind, view: new HeatView(), ...common };
    this.#pictures.set(id, picture);
  }

  remove(id: number): void {
    this.#pictures.delete(id);
  }

  resize(message: Extract<ToAggregator, { type: 'canvas-size' }>, shown: Shown | undefined): void {
    const { id, width, height, scale, theme } = message;
    const picture = this.#pictures.get(id);
    if (picture === undefined) return;
    Object.assign(picture.view, { width, height, scale, theme });
    const { canvas } = picture.pen;
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    picture.dirty = true;
    if (shown !== undefined) this.#paintOne(shown, id, picture, this.#nowMs());
    else {
      // An opaque canvas is black until it is painted: not in the page's colours before the first machine.
      picture.pen.fillStyle = THEMES[theme].surface;
      picture.pen.fillRect(0, 0, canvas.width, canvas.height);
    }
  }

  /** Another machine: each shows that one from now on, as it showed the last. */
  begin(labels: Labels, model: TraceModel): void {
    for (const [id, picture] of this.#pictures) {
      const { width, height, scale, theme } = picture.view;
      if (picture.kind === 'timeline') {
        picture.view = new TimelineView(labels);
        picture.view.command({ do: 'filter', text: this.#filterTexts.get(id) ?? '' }, model);
      } else picture.view = sameHeat(picture.view);
      Object.assign(picture.view, { width, height, scale, theme });
      picture.dirty = true;
    }
  }

  /** What a person did with a timeline. */
  timeline(id: number, command: TimelineCommand, model: TraceModel): void {
    const picture = this.#pictures.get(id);
    if (picture?.kind !== 'timeline') return;
    if (command.do === 'filter') this.#filterTexts.set(id, command.text);
    picture.view.command(command, model);
    picture.dirty = true;
    picture.told = 0;
  }

  /** What a person did with a heat map. */
  heat(id: number, command: HeatCommand, model: TraceModel | undefined): void {
    const picture = this.#pictures.get(id);
    if (picture?.kind !== 'heat') return;
    const { view } = picture;
    view.command(command, model?.requests.queue(view.dev, view.queue).heat);
    picture.dirty = true;
    picture.told = 0;
  }

  /** Timelines follow the newest record, or stay where they are. */
  follow(follow: boolean): void {
    for (const picture of this.#pictures.values())
      if (picture.kind === 'timeline') picture.view.follow = follow;
    this.dirtyAll();
  }

  dirtyAll(): void {
    for (const picture of this.#pictures.values()) picture.dirty = true;
  }

  /** The model has taken records: those that show the newest have to be painted again. */
  moved(model: TraceModel): void {
    for (const picture of this.#pictures.values())
      if (picture.kind === 'heat' || picture.view.follow || picture.view.to > model.latest)
        picture.dirty = true;
  }

  /** Paints what is due. @param quiet few events: pictures need not move often */
  paint(shown: Shown, nowMs: number, quiet: boolean): void {
    for (const [id, picture] of this.#pictures) {
      // What a person asked for (told is 0) does not wait.
      const least = picture.kind === 'heat' ? HEAT_MS : PAINT_MS;
      const affordable = Math.min(PAINT_LONGEST_MS, Math.max(least, picture.cost / PAINT_SHARE));
      const due = quiet ? PAINT_QUIET_MS : Math.max(affordable, this.leastMs);
      const advancing = shown.alive && picture.kind === 'heat' && shown.model.keep;
      if ((picture.dirty || advancing) && (picture.told === 0 || nowMs - picture.painted >= due - 4))
        this.#paintOne(shown, id, picture, nowMs);
    }
  }

  /** ms spent painting since this was last asked. */
  takePaintMs(): number {
    const ms = this.#paintMs;
    this.#paintMs = 0;
    return ms;
  }

  #paintOne({ model, labels, nowNs }: Shown, id: number, picture: Picture, nowMs: number): void {
    if (picture.view.width === 0) return;
    picture.dirty = false;
    picture.painted = nowMs;
    const began = this.#nowMs();
    const tell = nowMs - picture.told >= Math.max(STATUS_MS, this.leastMs);
    if (tell) picture.told = nowMs;
    if (picture.kind === 'timeline') {
      if (model.keep) picture.view.advance(model);
      paintTimeline(picture.pen, picture.view, model, labels);
      this.#costs(picture, this.#nowMs() - began);
      if (tell)
        this.#post({ type: 'timeline-status', id, status: timelineStatus(model, picture.view, labels) });
    } else {
      const { view } = picture;
      const grid = view.dev < 0 ? undefined : model.requests.queue(view.dev, view.queue).heat;
      paintHeat(picture.pen, view, grid, model.keep || view.last === 0 ? nowNs : view.last * HEAT_COLUMN_NS);
      this.#costs(picture, this.#nowMs() - began);
      if (tell) this.#post({ type: 'heat-status', id, status: heatStatus(model, view) });
    }
  }

  /** A smoothed cost: one picture during which the thread had to wait for a core says little. */
  #costs(picture: Picture, ms: number): void {
    this.#paintMs += ms;
    picture.cost += (ms - picture.cost) / 8;
  }
}

/** Another view of the same queue and metric. */
function sameHeat(old: HeatView): HeatView {
  const view = new HeatView();
  view.command({ do: 'show', dev: old.dev, queue: old.queue, metric: old.metric });
  view.columns = old.columns;
  return view;
}
