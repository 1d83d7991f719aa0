/** Type of what is dragged between lanes: a device, or one virtqueue of it. */
export const DRAG_TYPE = 'application/x-qcontext-device';

export interface Dragged {
  readonly qomPath: string;
  readonly queue?: number | undefined;
}

export const dragItem = (dragged: Dragged, label: string): Record<string, string> => ({
  [DRAG_TYPE]: JSON.stringify(dragged),
  'text/plain': label,
});

/** What was dropped; undefined when it came from elsewhere and is not of our making. */
export function readDragged(text: string): Dragged | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('qomPath' in value)) return undefined;
    const { qomPath, queue } = value as { qomPath: unknown; queue?: unknown };
    if (typeof qomPath !== 'string') return undefined;
    return { qomPath, queue: typeof queue === 'number' ? queue : undefined };
  } catch {
    return undefined;
  }
}
