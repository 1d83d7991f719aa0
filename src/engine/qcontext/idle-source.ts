import { PRIORITY_DEFAULT_IDLE, QSource, type SourceCallback, type SourceFuncs } from './qsource.ts';

const IDLE_FUNCS: SourceFuncs = {
  prepare(_source, timeout) {
    timeout.ms = 0;
    return true;
  },
  check: () => true,
  dispatch: (_source, callback) => callback?.() ?? false,
};

/**
 * A source that is always ready, at idle priority: its callback runs whenever nothing more urgent is
 * ready, until it returns false.
 */
export function createIdleSource(
  callback: SourceCallback,
  name: string | null = 'idle',
  notify?: () => void,
): QSource {
  const source = new QSource(IDLE_FUNCS, name);
  source.setCallback(callback, notify);
  source.setPriority(PRIORITY_DEFAULT_IDLE);
  return source;
}
