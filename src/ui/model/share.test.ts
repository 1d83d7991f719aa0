import { describe, expect, it } from 'vitest';
import { decodeShared, encodeShared } from './share.ts';

describe('shared links', () => {
  it('carry a configuration there and back, letters beyond ASCII included', async () => {
    const shared = { commandLine: '-append "größe 漢字"\n-m 256', preset: 'start' };
    const link = await encodeShared(shared);
    expect(link).toMatch(/^#v1\.[A-Za-z0-9_-]+$/);
    expect(await decodeShared(link)).toEqual({ kind: 'shared', shared });
  });
  it('carry where the borders between panels stand', async () => {
    const shared = { commandLine: '-m 256', preset: 'overview', splits: { 'overview-top': 31.5 } };
    expect(await decodeShared(await encodeShared(shared))).toEqual({ kind: 'shared', shared });
  });
  it('carry a scenario and its step; those of before have none', async () => {
    const shared = { commandLine: '-m 256', inspector: 'flow', scenario: 'typing', step: 'load' };
    expect(await decodeShared(await encodeShared(shared))).toEqual({ kind: 'shared', shared });
    // Made by the version before scenarios.
    const old =
      '#v1.FckxCoAwDEDRq8if66CgQ87gJYoWKdiktMFFvLv41vdwI1Ngt1KiHlvWhDCWYV5WArWlnhyhe2xOIGuvaXdrCC3rScDNro5QTPMf7wc';
    expect(await decodeShared(old)).toEqual({
      kind: 'shared',
      shared: { commandLine: '-m 256', preset: 'start', inspector: 'ring', tools: 'monitor' },
    });
  });
  it('are told apart: none, damaged, of a newer version', async () => {
    const link = await encodeShared({ commandLine: '-m 256' });
    expect(await decodeShared('')).toEqual({ kind: 'none' });
    expect(await decodeShared('#section')).toEqual({ kind: 'none' });
    expect(await decodeShared(link.slice(0, -6))).toEqual({ kind: 'damaged' });
    expect(await decodeShared(`${link.slice(0, 8)}A${link.slice(9)}`)).toEqual({ kind: 'damaged' });
    expect(await decodeShared('#v1.!!!')).toEqual({ kind: 'damaged' });
    expect(await decodeShared('#v7.abc')).toEqual({ kind: 'newer' });
  });
});
