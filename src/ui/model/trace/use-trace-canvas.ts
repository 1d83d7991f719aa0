import { type RefCallback, useCallback, useEffect, useEffectEvent, useState } from 'react';
import type { ThemeName } from '../../tokens.ts';
import type { TraceCanvas } from './trace-client.ts';

/** A canvas that the aggregator draws, in the element it fills. */
interface Opened<Command, Status> {
  readonly host: HTMLElement;
  readonly canvas: TraceCanvas<Command, Status>;
}

/**
 * Puts a canvas that the aggregator draws into the element that gets the returned ref, and keeps it of the element's
 * size. The canvas is made here because one that was handed over once cannot be used again.
 *
 * @param open must be stable
 */
export function useTraceCanvas<Command, Status>(
  open: (canvas: HTMLCanvasElement) => TraceCanvas<Command, Status>,
  theme: ThemeName,
  onStatus: (status: Status) => void,
): readonly [ref: RefCallback<HTMLElement>, opened: Opened<Command, Status> | undefined] {
  const [opened, setOpened] = useState<Opened<Command, Status> | undefined>(undefined);
  const tell = useEffectEvent(onStatus);

  const ref = useCallback(
    (host: HTMLElement) => {
      const element = document.createElement('canvas');
      element.style.cssText = 'display:block;position:absolute;inset:0;width:100%;height:100%';
      element.setAttribute('aria-hidden', 'true');
      host.append(element);
      const canvas = open(element);
      setOpened({ host, canvas });
      return () => {
        setOpened(undefined);
        canvas.close();
        element.remove();
      };
    },
    [open],
  );

  useEffect(() => opened?.canvas.onStatus((status) => tell(status)), [opened]);

  useEffect(() => {
    if (opened === undefined) return;
    const { host, canvas } = opened;
    const fit = (): void => {
      const { clientWidth, clientHeight } = host;
      if (clientWidth > 0 && clientHeight > 0)
        canvas.resize(clientWidth, clientHeight, devicePixelRatio, theme);
    };
    const observer = new ResizeObserver(fit);
    observer.observe(host);
    fit();
    return () => observer.disconnect();
  }, [opened, theme]);
  return [ref, opened];
}
