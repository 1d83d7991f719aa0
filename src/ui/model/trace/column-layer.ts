/** A colour of the theme (`#RRGGBB`) as a pixel of ImageData, on the little-endian machines browsers run on. */
export function pixelOf(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1, 7), 16);
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >>> 16)) >>> 0;
}

/**
 * Many narrow upright bars, painted as pixels and laid over a picture in one go: thousands of `fillRect` cost a
 * software canvas more than anything else. Places are CSS px, as the pen's are.
 */
export class ColumnLayer {
  readonly #canvas: OffscreenCanvas;
  readonly #pen: OffscreenCanvasRenderingContext2D;
  readonly #image: ImageData;
  readonly #pixels: Uint32Array;
  readonly #scale: number;
  readonly width: number;
  readonly height: number;

  /** @param width of the picture, in device px; so is `height` */
  constructor(width: number, height: number, scale: number) {
    this.width = width;
    this.height = height;
    this.#scale = scale;
    this.#canvas = new OffscreenCanvas(width, height);
    const pen = this.#canvas.getContext('2d', { willReadFrequently: true });
    if (pen === null) throw new Error('no 2D canvas in this browser');
    this.#pen = pen;
    this.#image = pen.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
  }

  /** Is this the layer for a picture of that size? */
  fits(width: number, height: number, scale: number): boolean {
    return this.width === width && this.height === height && this.#scale === scale;
  }

  clear(): void {
    this.#pixels.fill(0);
  }

  /** A bar with crisp edges. What lies outside of the picture is left out. */
  bar(left: number, top: number, wide: number, high: number, pixel: number): void {
    fillBar(this.#pixels, this.width, this.height, this.#scale, [left, top, wide, high], pixel);
  }

  /** Lays the bars over a picture whose pen is scaled. */
  drawOn(pen: OffscreenCanvasRenderingContext2D): void {
    this.#pen.putImageData(this.#image, 0, 0);
    pen.drawImage(this.#canvas, 0, 0, this.width / this.#scale, this.height / this.#scale);
  }
}

/** The arithmetic of `bar`, on any pixels. */
export function fillBar(
  pixels: Uint32Array,
  width: number,
  height: number,
  scale: number,
  [left, top, wide, high]: readonly [left: number, top: number, wide: number, high: number],
  pixel: number,
): void {
  const x = Math.round(left * scale);
  const y = Math.round(top * scale);
  // However thin: something happened there.
  const right = Math.min(width, Math.max(x + 1, Math.round((left + wide) * scale)));
  const bottom = Math.min(height, Math.max(y + 1, Math.round((top + high) * scale)));
  const x0 = Math.max(0, x);
  if (right <= x0) return;
  for (let row = Math.max(0, y); row < bottom; row++)
    pixels.fill(pixel, row * width + x0, row * width + right);
}
