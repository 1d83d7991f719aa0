import { Circle, CircleDot } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './Button.tsx';

/** Sets or removes a breakpoint: pressed while it is set. */
export function BreakButton({
  label,
  isSet,
  onPress,
  children,
}: {
  /** What it breaks at, for its name: "Break at virtqueue_pop". */
  readonly label: string;
  readonly isSet: boolean;
  readonly onPress: () => void;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <Button
      size="small"
      variant="quiet"
      icon={isSet ? <CircleDot /> : <Circle />}
      aria-label={label}
      aria-pressed={isSet}
      tip={isSet ? `${label}: is set` : `${label}: hold the context when it happens`}
      onPress={onPress}
    >
      {children}
    </Button>
  );
}
