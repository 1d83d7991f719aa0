// Not loaded on demand: a trace is worth most to who has just lost the network, or the server.
import { jsonLines } from './export-jsonl.ts';
import { perfettoTrace } from './export-perfetto.ts';
import type { Labels } from './labels.ts';
import type { TraceModel } from './trace-model.ts';

/**
 * All records that are kept, with what was lost, as a file. It is put together piece by piece, so that the rings are
 * emptied meanwhile; nothing new is kept until it is done.
 */
export async function exportTrace(
  model: TraceModel,
  labels: Labels,
  format: 'jsonl' | 'perfetto',
  epoch: number,
): Promise<{ readonly blob: Blob; readonly name: string }> {
  const stamp = new Date(epoch).toISOString().replace(/[:.]/g, '-');
  const { keep } = model;
  model.keep = false;
  try {
    if (format === 'jsonl') {
      const parts = await gather(jsonLines(model, labels, epoch));
      return { blob: new Blob(parts, { type: 'application/jsonl' }), name: `qcontext-${stamp}.jsonl` };
    }
    const parts = await gather(perfettoTrace(model, labels));
    return { blob: new Blob(parts, { type: 'application/octet-stream' }), name: `qcontext-${stamp}.pftrace` };
  } finally {
    model.keep = keep;
  }
}

async function gather<T>(pieces: Iterable<T>): Promise<T[]> {
  const parts: T[] = [];
  for (const piece of pieces) {
    parts.push(piece);
    await new Promise((resolve) => void setTimeout(resolve, 0));
  }
  return parts;
}
