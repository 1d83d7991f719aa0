import { QSource, type SourceCallback } from './qsource.ts';

/**
 * A source that is ready every `intervalMs` milliseconds, first that long after `nowUs`. It re-arms
 * from the time of the iteration that dispatched it, so a late dispatch delays those after it, and a
 * blocked timer does not catch up.
 *
 * @param intervalMs - an unsigned 32-bit number of milliseconds.
 */
export function createTimeoutSource(
  intervalMs: number,
  nowUs: number,
  callback: SourceCallback,
  name: string | null = 'timeout',
  notify?: () => void,
): QSource {
  const source = new QSource(
    {
      dispatch(self, user) {
        const again = user?.() ?? false;
        if (again) self.readyTimeUs = self.timeUs() + intervalMs * 1000;
        return again;
      },
    },
    name,
  );
  source.setCallback(callback, notify);
  source.readyTimeUs = nowUs + intervalMs * 1000;
  return source;
}
