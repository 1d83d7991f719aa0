import { type ReactNode, useEffect, useEffectEvent, useRef } from 'react';

/** Something that calls back with each new value and returns how to stop. */
export type Feed<T> = (listener: (value: T) => void) => () => void;

/**
 * Text that changes several times a second without React: the feed writes into the text node. Give it a class
 * of fixed width so that what is beside it never moves.
 */
export function LiveText<T>({
  feed,
  read,
  className,
  title,
}: {
  readonly feed: Feed<T>;
  readonly read: (value: T) => string;
  readonly className?: string | undefined;
  readonly title?: string;
}): ReactNode {
  const ref = useRef<HTMLSpanElement>(null);
  const show = useEffectEvent((value: T) => {
    const text = read(value);
    // The node stays and its data changes: whoever watches the page for new nodes (tab panels do, and then ask for
    // the layout) has nothing to look at.
    const node = ref.current?.firstChild;
    if (node instanceof Text && node.data !== text) node.data = text;
  });
  useEffect(() => feed((value) => show(value)), [feed]);
  return (
    <span ref={ref} className={className} title={title}>
      {'–'}
    </span>
  );
}
