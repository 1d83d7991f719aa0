import { Command } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { ImagesModel } from '../model/images/images-model.ts';
import { layout, reveal } from '../model/layout.ts';
import { useController, usePlayground } from '../model/playground.ts';
import { isolateByServiceWorker, type WayOut } from '../model/problem.ts';
import { loadSettings, saveSettings } from '../model/settings.ts';
import type { ControllerState } from '../model/vm-controller.ts';
import { applyTheme, NARROW_BELOW, type ThemeName } from '../tokens.ts';
import { ContextsBoard } from '../views/contexts/ContextsBoard.tsx';
import { GuideStrip } from '../views/guide/GuideStrip.tsx';
import { ScenarioMenu } from '../views/guide/ScenarioMenu.tsx';
import { MoveCard } from '../views/move/MoveCard.tsx';
import { ShareButton } from '../views/share/ShareButton.tsx';
import { HonestyStrip } from '../views/honesty/HonestyStrip.tsx';
import { StartOverlay } from '../views/start/StartOverlay.tsx';
import { TerminalView } from '../views/terminal/TerminalView.tsx';
import { TransportBar } from '../views/transport/TransportBar.tsx';
import { Button } from '../widgets/Button.tsx';
import { TabbedPanel } from '../widgets/TabbedPanel.tsx';
import { useMedia } from '../widgets/use-media.ts';
import styles from './App.module.css';
import { LiveRegion } from './LiveRegion.tsx';
import { NarrowLayout } from './NarrowLayout.tsx';
import { inspectorTabs, TimelinePanel, toolTabs } from './panels.tsx';
import { usePaletteKey } from './use-palette-key.ts';
import { WideLayout } from './WideLayout.tsx';

const Palette = lazy(() => import('../views/palette/Palette.tsx'));

/** Is the terminal covered by progress or a problem? */
const isCovered = (state: ControllerState): boolean =>
  state.phase.kind !== 'on' || state.problem !== undefined;

/** The page: transport on top, panels below, arranged by the room there is. */
export function App({
  defaultCommandLine,
  images,
}: {
  readonly defaultCommandLine: string;
  readonly images: ImagesModel;
}): ReactNode {
  const { controller } = usePlayground();
  const [theme, setTheme] = useTheme();
  const narrow = useMedia(`(max-width: ${NARROW_BELOW - 1}px)`);
  const { inspector, tools } = useStore(layout);
  const covered = useController(isCovered);
  const on = useController((state) => state.phase.kind === 'on');
  const [palette, setPalette] = useState(false);
  usePaletteKey(useCallback(() => setPalette(true), []));

  // On a small screen progress and problems are with the terminal: show it when they come.
  useEffect(
    () =>
      controller.store.subscribe((state, old) => {
        if (isCovered(state) && !isCovered(old)) layout.setState({ narrow: 'guest' });
      }),
    [controller],
  );

  const takeWayOut = (way: WayOut): void => {
    const { lastGood } = controller.store.getState();
    switch (way) {
      case 'reload':
        location.reload();
        return;
      case 'isolate':
        void isolateByServiceWorker(new URL(document.baseURI)).then(() => location.reload());
        return;
      case 'default-command-line':
        controller.setCommandLine(defaultCommandLine);
        void controller.powerOn();
        return;
      case 'previous-command-line':
        if (lastGood !== undefined) controller.setCommandLine(lastGood);
        void controller.powerOn();
        return;
      case 'retry':
      case 'power-on':
        void controller.powerOn();
        return;
      case 'edit-command-line':
        controller.dismissProblem();
        reveal('command-line');
        return;
      case 'open-images':
        controller.dismissProblem();
        reveal('images');
        return;
      case 'dismiss':
        controller.dismissProblem();
    }
  };

  // Progress and problems: where the lanes will be, on a small screen with the terminal, which comes to the front for them.
  const overlay = covered ? <StartOverlay onWay={takeWayOut} /> : null;
  const panels = {
    contexts: <ContextsBoard footer={<MoveCard />} message={narrow ? null : overlay} />,
    terminal: (
      <TerminalView
        theme={theme}
        overlay={on ? null : narrow ? overlay : <p>No guest runs.</p>}
        notice={on && narrow ? overlay : null}
      />
    ),
    inspector: (
      <TabbedPanel
        label="Inspector"
        tabs={inspectorTabs(theme)}
        selected={inspector}
        onSelect={(id) => layout.setState({ inspector: id })}
      />
    ),
    timeline: <TimelinePanel theme={theme} />,
    tools: (
      <TabbedPanel
        label="Machine"
        tabs={toolTabs(defaultCommandLine, images)}
        selected={tools}
        onSelect={(id) => layout.setState({ tools: id })}
      />
    ),
  };
  return (
    <div className={styles['app']}>
      <TransportBar
        theme={theme}
        onTheme={setTheme}
        extra={
          <>
            {narrow ? null : <ScenarioMenu />}
            <ShareButton />
            <Button
              variant="quiet"
              icon={<Command />}
              tip="All commands (⌘K, Ctrl+K)"
              onPress={() => setPalette(true)}
            />
          </>
        }
      />
      <main className={styles['main']}>
        <GuideStrip />
        <div className={styles['panels']}>
          {narrow ? <NarrowLayout {...panels} /> : <WideLayout {...panels} />}
        </div>
      </main>
      <HonestyStrip />
      {palette ? (
        <Suspense fallback={null}>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      ) : null}
      <LiveRegion />
    </div>
  );
}

/** The theme in force: what was chosen here, else what the system prefers. */
function useTheme(): readonly [ThemeName, (theme: ThemeName) => void] {
  const systemLight = useMedia('(prefers-color-scheme: light)');
  const [chosen, setChosen] = useState(() => loadSettings().theme);
  const theme = chosen === 'system' ? (systemLight ? 'light' : 'dark') : chosen;
  useEffect(() => applyTheme(theme), [theme]);
  return [
    theme,
    (next) => {
      setChosen(next);
      saveSettings({ theme: next });
    },
  ];
}
