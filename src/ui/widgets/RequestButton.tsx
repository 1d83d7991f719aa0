import { AlignLeft, Ruler, Waypoints } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './Button.tsx';

/** The views of one request, as the ways to them are called everywhere. */
const VIEWS = {
  waterfall: { icon: AlignLeft, label: 'In the waterfall', tip: 'Its stages, one below the other' },
  timeline: { icon: Ruler, label: 'In the timeline', tip: 'Among all that happened meanwhile' },
  flow: { icon: Waypoints, label: 'In the flow', tip: 'When it was at each of the six stations' },
} as const;

/** The way to another view of the request it stands beside. */
export function RequestButton({
  view,
  onPress,
}: {
  readonly view: keyof typeof VIEWS;
  readonly onPress: () => void;
}): ReactNode {
  const { icon: Icon, label, tip } = VIEWS[view];
  return (
    <Button size="small" variant="quiet" icon={<Icon aria-hidden="true" />} tip={tip} onPress={onPress}>
      {label}
    </Button>
  );
}
