import { Scenario } from './scenario.ts';

/** Splits the input at lines `---`; a last scenario without one counts unless it is empty. */
export function splitScenarios(input: string): string[][] {
  const scenarios: string[][] = [];
  let current: string[] = [];
  for (const line of input.split('\n')) {
    if (line.trimEnd() === '---') {
      scenarios.push(current);
      current = [];
    } else {
      current.push(line);
    }
  }
  if (current.some((line) => line.trim() !== '')) scenarios.push(current);
  return scenarios;
}

/** Answers all scenarios of `input`, each answer followed by a line `---`. */
export function answerAll(input: string): string {
  return splitScenarios(input)
    .map((lines) => `${new Scenario().run(lines).join('\n')}\n---\n`)
    .join('');
}
