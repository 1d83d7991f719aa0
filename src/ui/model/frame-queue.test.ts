import { describe, expect, it } from 'vitest';
import { FrameQueue } from './frame-queue.ts';

function rig() {
  const frames: (() => void)[] = [];
  const queue = new FrameQueue((run) => frames.push(run));
  const log: string[] = [];
  const say = (word: string) => () => void log.push(word);
  return { queue, log, say, frame: () => frames.shift()?.(), waiting: () => frames.length };
}

describe('FrameQueue', () => {
  it('does one job a frame, in order', () => {
    const { queue, log, say, frame, waiting } = rig();
    queue.add('a', say('a'));
    queue.add('b', say('b'));
    expect(log).toEqual([]);
    frame();
    expect(log).toEqual(['a']);
    frame();
    expect(log).toEqual(['a', 'b']);
    expect(waiting()).toBe(0);
  });

  it('keeps only the newest of a kind, in the place of the first', () => {
    const { queue, log, say, frame } = rig();
    queue.add('a', say('old'));
    queue.add('b', say('b'));
    queue.add('a', say('new'));
    frame();
    frame();
    frame();
    expect(log).toEqual(['new', 'b']);
  });

  it('goes on after a job that throws', () => {
    const { queue, log, say, frame } = rig();
    queue.add('a', () => {
      throw new Error('broken');
    });
    queue.add('b', say('b'));
    expect(frame).toThrow('broken');
    frame();
    queue.add('c', say('c'));
    frame();
    expect(log).toEqual(['b', 'c']);
  });

  describe('at rest', () => {
    it('asks for no frame, and does all at once when it is told to', () => {
      const { queue, log, say, waiting } = rig();
      queue.rest(true);
      queue.add('a', say('old'));
      queue.soon('b', say('b'));
      queue.add('a', say('new'));
      expect([log, waiting()]).toEqual([[], 0]);
      queue.together();
      expect(log).toEqual(['new', 'b']);
      queue.together();
      expect(log).toEqual(['new', 'b']);
    });

    it('does what a job asks for with it', () => {
      const { queue, log, say } = rig();
      queue.rest(true);
      queue.add('ring', () => queue.add('table', say('table')));
      queue.together();
      expect(log).toEqual(['table']);
    });

    it('keeps a job that waits for its frame, and makes frames again afterwards', () => {
      const { queue, log, say, frame, waiting } = rig();
      queue.add('a', say('a'));
      queue.rest(true);
      frame();
      expect(log).toEqual([]);
      queue.soon('b', say('b'));
      queue.rest(false);
      frame();
      frame();
      expect(log).toEqual(['a', 'b']);
      queue.soon('c', say('c'));
      expect(log).toEqual(['a', 'b', 'c']);
      expect(waiting()).toBe(0);
    });

    it('loses no job to one that throws', () => {
      const { queue, log, say } = rig();
      queue.rest(true);
      queue.add('a', () => {
        throw new Error('broken');
      });
      queue.add('b', say('b'));
      expect(() => queue.together()).toThrow('broken');
      queue.together();
      expect(log).toEqual(['b']);
    });
  });
});
