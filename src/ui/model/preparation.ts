/** What has to be there before a machine starts, with progress that names the phase and counts bytes. */
export interface PreparationStep {
  readonly id: string;
  /** "Downloading the kernel", "Creating root.img". */
  readonly label: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly doneBytes: number;
  /** 0 while unknown. */
  readonly totalBytes: number;
}

/** Provides the files a command line names; reports each change of its steps. Throws ProblemError. */
export type Prepare = (
  argv: readonly string[],
  report: (steps: readonly PreparationStep[]) => void,
  signal: AbortSignal,
) => Promise<void>;
