import { ClipboardPaste, Copy, Scaling, Search } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useBoardShape, useController, usePlayground } from '../../model/playground.ts';
import type { ThemeName } from '../../tokens.ts';
import { Button } from '../../widgets/Button.tsx';
import { Panel } from '../../widgets/Panel.tsx';
import { Select } from '../../widgets/Select.tsx';
import { useMedia } from '../../widgets/use-media.ts';
import { KeyBar } from './KeyBar.tsx';
import { SearchBar } from './SearchBar.tsx';
import type { Modifiers } from './keys.ts';
import type { TerminalSession } from './terminal-session.ts';
import styles from './TerminalView.module.css';

let session: Promise<TerminalSession> | undefined;
/** The page's one terminal, loaded and made when it is first shown: the emulator is a third of the page's code. */
const theSession = (): Promise<TerminalSession> =>
  (session ??= import('./terminal-session.ts').then((module) => new module.TerminalSession()));

/**
 * The guest's first serial port. `overlay` covers it while there is nothing to see; what a guest that is gone wrote last
 * stays readable above it.
 */
export function TerminalView({
  theme,
  overlay,
  notice,
}: {
  readonly theme: ThemeName;
  readonly overlay: ReactNode;
  /** Stands below the screen, which stays readable. */
  readonly notice: ReactNode;
}): ReactNode {
  const { controller } = usePlayground();
  const screen = useRef<HTMLDivElement>(null);
  const touch = useMedia('(pointer: coarse), (max-width: 859px)');
  useBoardShape(); // ports come and go with the board
  const ids =
    useController((state) => (state.phase.kind === 'on' ? state.phase.vm : undefined))?.serialPortIds() ?? [];
  const main = useController((state) => (state.phase.kind === 'on' ? state.phase.serial : undefined));
  const [wish, setWish] = useState('');
  const port =
    main === undefined ? undefined : ids.length > 1 && ids.includes(wish) ? controller.serialLog(wish) : main;
  const [searching, setSearching] = useState(false);
  const [terminal, setTerminal] = useState<TerminalSession | undefined>(undefined);
  const readable = overlay != null && terminal?.hasOutput === true;
  const below = readable ? overlay : notice;
  const [modifiers, setModifiers] = useState<Modifiers>({ ctrl: false, alt: false });

  useEffect(() => {
    let unmount: (() => void) | undefined;
    let gone = false;
    void theSession().then((loaded) => {
      if (gone || screen.current === null) return;
      loaded.onModifiers = setModifiers;
      unmount = loaded.mount(screen.current);
      setTerminal(loaded);
    });
    return () => {
      gone = true;
      unmount?.();
    };
  }, []);
  useEffect(() => terminal?.setTheme(theme), [terminal, theme]);
  useEffect(() => {
    if (port === undefined) terminal?.disconnect();
    else terminal?.connect(port);
  }, [terminal, port]);

  return (
    <Panel
      title="Guest terminal"
      aside={
        touch ? null : (
          <>
            Shift+Tab leaves it<span className={styles['more']}>; Tab too, from an empty line</span>
          </>
        )
      }
      flush
      actions={
        <>
          {ids.length > 1 ? (
            <Select
              label="Terminal of"
              value={ids.includes(wish) ? wish : (ids[0] ?? '')}
              choices={ids.map((id) => ({ id, label: id }))}
              onChange={setWish}
            />
          ) : null}
          <Button
            size="small"
            variant="quiet"
            icon={<Search />}
            tip="Search the output"
            onPress={() => setSearching(!searching)}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<Scaling />}
            tip="Tell the guest the terminal’s size (types stty)"
            isDisabled={port === undefined}
            onPress={() => terminal?.tellSize()}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<Copy />}
            tip="Copy the selection (Ctrl+Shift+C)"
            onPress={() => void terminal?.copy().catch(() => {})}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<ClipboardPaste />}
            tip="Paste (Ctrl+Shift+V)"
            onPress={() => void terminal?.paste().catch(() => {})}
          />
        </>
      }
    >
      <div className={styles['frame']}>
        {searching && terminal !== undefined ? (
          <SearchBar
            onFind={(text, backwards) => terminal.find(text, backwards)}
            onClose={() => {
              setSearching(false);
              terminal.endSearch();
            }}
          />
        ) : null}
        <div ref={screen} className={styles['screen']} data-testid="terminal" />
        {touch ? (
          <KeyBar
            modifiers={modifiers}
            onModifier={(modifier) => terminal?.toggle(modifier)}
            onKey={(data) => terminal?.send(data)}
          />
        ) : null}
        {below == null ? null : <div className={styles['notice']}>{below}</div>}
        {overlay == null || readable ? null : <div className={styles['overlay']}>{overlay}</div>}
      </div>
    </Panel>
  );
}
