import '@xterm/xterm/css/xterm.css';
import { ClipboardPaste, Copy } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { usePlayground } from '../../model/playground.ts';
import type { ThemeName } from '../../tokens.ts';
import { Button } from '../../widgets/Button.tsx';
import { Panel } from '../../widgets/Panel.tsx';
import { useMedia } from '../../widgets/use-media.ts';
import { KeyBar } from './KeyBar.tsx';
import { TerminalSession } from './terminal-session.ts';
import styles from './TerminalView.module.css';

let session: TerminalSession | undefined;
/** The page's one terminal, made when it is first shown. */
const theSession = (): TerminalSession => (session ??= new TerminalSession());

/** The guest's first serial port. `overlay` covers it, e.g. with progress or a problem. */
export function TerminalView({
  theme,
  overlay,
}: {
  readonly theme: ThemeName;
  readonly overlay: ReactNode;
}): ReactNode {
  const { controller } = usePlayground();
  const screen = useRef<HTMLDivElement>(null);
  const touch = useMedia('(pointer: coarse), (max-width: 859px)');
  const [modifiers, setModifiers] = useState({ ctrl: false, alt: false });

  useEffect(() => {
    const terminal = theSession();
    terminal.onModifiers = setModifiers;
    return screen.current === null ? undefined : terminal.mount(screen.current);
  }, []);
  useEffect(() => theSession().setTheme(theme), [theme]);
  useEffect(() => controller.onVm((vm) => theSession().connect(vm.serial)), [controller]);

  return (
    <Panel
      title="Guest terminal"
      aside="Shift+Tab leaves; Tab leaves from an empty line"
      flush
      actions={
        <>
          <Button
            size="small"
            variant="quiet"
            icon={<Copy />}
            tip="Copy the selection (Ctrl+Shift+C)"
            onPress={() =>
              void theSession()
                .copy()
                .catch(() => {})
            }
          />
          <Button
            size="small"
            variant="quiet"
            icon={<ClipboardPaste />}
            tip="Paste (Ctrl+Shift+V)"
            onPress={() =>
              void theSession()
                .paste()
                .catch(() => {})
            }
          />
        </>
      }
    >
      <div className={styles['frame']}>
        <div ref={screen} className={styles['screen']} data-testid="terminal" />
        {touch ? (
          <KeyBar
            modifiers={modifiers}
            onModifier={(modifier) => theSession().toggle(modifier)}
            onKey={(data) => theSession().send(data)}
          />
        ) : null}
        {overlay == null ? null : <div className={styles['overlay']}>{overlay}</div>}
      </div>
    </Panel>
  );
}
