import { describe, expect, it } from 'vitest';
import { fillBar, pixelOf } from './column-layer.ts';

describe('bars as pixels', () => {
  it('colours have the order of ImageData', () => {
    const bytes = new Uint8Array(Uint32Array.of(pixelOf('#11A2F3')).buffer);
    expect([...bytes]).toEqual([0x11, 0xa2, 0xf3, 0xff]);
  });
  it('are cut at the edges, scaled, and never thinner than a pixel', () => {
    const draw = (scale: number, bar: readonly [number, number, number, number]): string[] => {
      const pixels = new Uint32Array(24);
      fillBar(pixels, 6, 4, scale, bar, 1);
      return Array.from({ length: 4 }, (_, y) => [...pixels.subarray(y * 6, y * 6 + 6)].join(''));
    };
    expect(draw(1, [1, 1, 2, 2])).toEqual(['000000', '011000', '011000', '000000']);
    expect(draw(2, [1, 0.5, 1, 1])).toEqual(['000000', '001100', '001100', '000000']);
    expect(draw(1, [4, 2, 9, 9])).toEqual(['000000', '000000', '000011', '000011']);
    expect(draw(1, [2, 1, 0.1, 0.1])).toEqual(['000000', '001000', '000000', '000000']);
    expect(draw(1, [-5, -5, 1, 1])).toEqual(['000000', '000000', '000000', '000000']);
  });
});
