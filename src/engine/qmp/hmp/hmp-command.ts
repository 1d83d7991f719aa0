import type { ObjectModel } from '../../qom/object-model.ts';
import type { Reply } from '../command.ts';

/** What an HMP command works on. Most are a QMP command with its answer laid out for people. */
export interface HmpContext {
  readonly model: ObjectModel;
  readonly execute: (name: string, args?: Readonly<Record<string, unknown>>) => Promise<Reply>;
}

/** What may stand at a place of a command line, for its completion. */
export type HmpWord =
  | 'path'
  | 'property'
  | 'object-id'
  | 'device-id'
  | 'block-id'
  | 'trace-event'
  | 'driver'
  | 'object-type'
  | 'on-off'
  | 'step-unit'
  | 'command'
  | 'text';

export interface HmpCommand {
  /** Its name, and shorter names after it. */
  readonly names: readonly string[];
  /** Its arguments as the help shows them; those in brackets may be left out. */
  readonly usage: string;
  readonly help: string;
  readonly words: readonly HmpWord[];
  /** Fewer words than this are refused. */
  readonly required: number;
  /** The last word takes the rest of the line. */
  readonly rest?: boolean;
  /** Resolves with what is printed, lines joined by newlines; empty for nothing. */
  readonly run: (context: HmpContext, words: readonly string[]) => Promise<string> | string;
}

/** Lays a reply out, or the error with its hint. */
export const show = (reply: Reply, layout: (value: never) => string = () => ''): string => {
  if (reply.ok) return layout(reply.value as never);
  const { desc, hint } = reply.error;
  return hint === undefined ? `Error: ${desc}` : `Error: ${desc}\n${hint}`;
};
