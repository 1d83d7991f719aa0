import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { type Diagnostic, linter, lintKeymap } from '@codemirror/lint';
import { EditorState, RangeSetBuilder } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  keymap,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';
import { type ReactNode, useEffect, useEffectEvent, useRef } from 'react';
import styles from './CodeEditor.module.css';

export interface EditorMark {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'info';
  readonly message: string;
}

export interface EditorCandidate {
  readonly text: string;
  readonly kind: string;
  readonly detail: string;
}

/** A text editor that marks mistakes in their place and completes what is typed. Tab leaves it. */
export default function CodeEditor({
  label,
  value,
  onChange,
  diagnose,
  complete,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly diagnose: (text: string) => Promise<readonly EditorMark[]>;
  readonly complete: (
    text: string,
    offset: number,
  ) => Promise<{
    readonly from: number;
    readonly to: number;
    readonly candidates: readonly EditorCandidate[];
  }>;
}): ReactNode {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const first = useRef(value);
  const changed = useEffectEvent(onChange);
  const marks = useEffectEvent(diagnose);
  const candidates = useEffectEvent(complete);

  useEffect(() => {
    if (parent.current === null) return undefined;
    const editor = new EditorView({
      parent: parent.current,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          history(),
          drawSelection(),
          closeBrackets(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            'aria-label': label,
            spellcheck: 'false',
            autocapitalize: 'off',
            tabindex: '0',
          }),
          keymap.of([...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
          linter(async (editing) => (await marks(editing.state.doc.toString())).map(toDiagnostic), {
            delay: 250,
          }),
          autocompletion({
            override: [
              async (context) =>
                toResult(context, await candidates(context.state.doc.toString(), context.pos)),
            ],
            icons: false,
          }),
          optionNames,
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    // A list below it, a keyboard on the screen: what is typed stays in sight.
    const resized = new ResizeObserver(() => {
      const { head } = editor.state.selection.main;
      if (editor.hasFocus) editor.dispatch({ effects: EditorView.scrollIntoView(head) });
    });
    resized.observe(parent.current);
    return () => {
      view.current = undefined;
      resized.disconnect();
      editor.destroy();
    };
  }, [label]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined) return;
    const old = editor.state.doc.toString();
    if (old !== value) editor.dispatch({ changes: { from: 0, to: old.length, insert: value } });
    first.current = value;
  }, [value]);

  return <div ref={parent} className={styles['editor']} />;
}

const toDiagnostic = (mark: EditorMark): Diagnostic => ({
  from: mark.from,
  to: Math.max(mark.to, mark.from),
  severity: mark.severity,
  message: mark.message,
});

function toResult(
  context: CompletionContext,
  found: { readonly from: number; readonly to: number; readonly candidates: readonly EditorCandidate[] },
): CompletionResult | null {
  if (found.candidates.length === 0) return null;
  // Nothing typed yet: only offer when asked, or right after a comma or an equals sign.
  const before = context.state.sliceDoc(context.pos - 1, context.pos);
  if (!context.explicit && found.from === context.pos && !/[,=]/.test(before)) return null;
  return {
    from: found.from,
    to: found.to,
    options: found.candidates.map((candidate) => ({
      label: candidate.text,
      detail: candidate.kind,
      info: candidate.detail,
    })),
  };
}

const optionName = Decoration.mark({ class: 'cm-option' });

/** Option names stand out; nothing else is coloured. */
const optionNames = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = markOptions(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged) this.decorations = markOptions(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function markOptions(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (const match of view.state.sliceDoc(from, to).matchAll(/(?:^|\n)[ \t]*(--?[A-Za-z][\w-]*)/g)) {
      const name = match[1] ?? '';
      const end = from + match.index + match[0].length;
      builder.add(end - name.length, end, optionName);
    }
  }
  return builder.finish();
}
