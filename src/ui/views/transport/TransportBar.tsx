import { Moon, Pause, Play, Power, RotateCcw, Sun } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RunState } from '../../../engine/vm.ts';
import { useBoardShape, useController, usePlayground } from '../../model/playground.ts';
import type { ThemeName } from '../../tokens.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import { OriginWords, StartNote } from './StartNote.tsx';
import styles from './TransportBar.module.css';
import { StepMenu } from './StepMenu.tsx';
import { useNextVisit } from './use-next-visit.ts';

const STATE_WORDS: Record<RunState, string> = {
  starting: 'starting',
  prelaunch: 'built, not started',
  running: 'running',
  paused: 'paused',
  shutdown: 'shut down',
  'io-error': 'stopped: I/O error',
  'guest-panicked': 'guest panicked',
  'internal-error': 'internal error',
};

/** The machine's life: run, pause, reset, power; what it is doing, in words; the theme. */
export function TransportBar({
  theme,
  onTheme,
  extra,
}: {
  readonly theme: ThemeName;
  readonly onTheme: (theme: ThemeName) => void;
  readonly extra?: ReactNode;
}): ReactNode {
  const { controller } = usePlayground();
  const phase = useController((state) => state.phase.kind);
  const board = useBoardShape();
  const runState = board?.runState;
  const held = board?.contexts.filter(({ heldNs }) => heldNs !== undefined).map(({ id }) => id) ?? [];
  const next = useNextVisit();
  const on = phase === 'on';
  const running = runState === 'running' || runState === 'starting';
  return (
    <>
      <header className={styles['bar']}>
        <h1 className={styles['brand']}>
          QContext <span className={styles['light']}>Playground</span>
        </h1>
        <div className={styles['controls']} role="toolbar" aria-label="Machine">
          {on && running ? (
            <Button icon={<Pause />} aria-label="Pause VM" onPress={() => void controller.pause()}>
              <span className={styles['wideOnly']}>Pause VM</span>
            </Button>
          ) : (
            <Button
              icon={<Play />}
              variant="primary"
              isDisabled={phase === 'preparing' || phase === 'building' || phase === 'stopping'}
              aria-label="Run"
              onPress={() => void (on ? controller.resume() : controller.powerOn())}
            >
              <span className={styles['wideOnly']}>Run</span>
            </Button>
          )}
          <StepMenu />
          <span className={styles['roomy']}>
            <Button icon={<RotateCcw />} isDisabled={!on} onPress={() => void controller.reset()}>
              Reset
            </Button>
          </span>
          <ActionMenu
            trigger={
              <Button icon={<Power />} aria-label="Power">
                <span className={styles['wideOnly']}>Power</span>
              </Button>
            }
            actions={[
              {
                id: 'on',
                label: 'Power on',
                note: 'Build the machine from the command line',
                disabled: phase !== 'off',
              },
              {
                id: 'shutdown',
                label: 'Ask the guest to shut down',
                note: 'system_powerdown',
                disabled: !on,
              },
              { id: 'reset', label: 'Reset', note: 'system_reset: the guest boots anew', disabled: !on },
              {
                id: 'off',
                label: phase === 'preparing' ? 'Cancel' : 'Cut the power',
                note: 'Ends every thread; disks are closed first',
                disabled: phase === 'off' || phase === 'stopping',
              },
              {
                id: 'restart',
                label: 'Power off and on',
                note: 'Boots; applies the command line',
                disabled: !on,
              },
              { id: 'next-visit', label: next.label, note: next.note },
            ]}
            onAction={(id) => {
              if (id === 'next-visit') next.change();
              else if (id === 'on' || id === 'restart') void controller.powerOn();
              else if (id === 'reset') void controller.reset();
              else if (id === 'shutdown') void controller.shutdownGuest();
              else void controller.powerOff();
            }}
          />
        </div>
        <p className={styles['state']} data-testid="run-state">
          <span className={styles['dot']} data-running={(on && running) || undefined} aria-hidden="true" />
          {on ? STATE_WORDS[runState ?? 'starting'] : PHASE_WORDS[phase]}
          {on && held.length > 0 ? `, ${held.join(', ')} held` : ''}
        </p>
        {on ? <OriginWords /> : null}
        <div className={styles['spring']} />
        {extra}
        <Button
          variant="quiet"
          icon={theme === 'dark' ? <Sun /> : <Moon />}
          tip={theme === 'dark' ? 'Light theme' : 'Dark theme'}
          onPress={() => onTheme(theme === 'dark' ? 'light' : 'dark')}
        />
      </header>
      <StartNote />
    </>
  );
}

const PHASE_WORDS = {
  off: 'power is off',
  preparing: 'preparing',
  building: 'building the machine',
  on: 'running',
  stopping: 'powering off',
} as const;
