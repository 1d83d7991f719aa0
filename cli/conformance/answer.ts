import { Scenario } from './scenario.ts';

/**
 * Answers a stream of scenarios: each is ended by a line `---`, and answered, with a line `---` after the
 * answer, as soon as that line has come. A last one may be ended by the end of the input.
 */
export class ScenarioStream {
  #rest = '';
  #lines: string[] = [];

  /** Takes the next piece of input, however it is cut, and returns the answers that are due. */
  feed(text: string): string {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => this.#line(line)).join('');
  }

  /** Ends the input and returns the last answer, if one is due. */
  end(): string {
    const answer = this.#line(this.#rest);
    this.#rest = '';
    const isEmpty = this.#lines.every((line) => line.trim() === '');
    return answer + (isEmpty ? '' : this.#answer());
  }

  #line(line: string): string {
    if (line.trimEnd() === '---') return this.#answer();
    this.#lines.push(line);
    return '';
  }

  #answer(): string {
    const answer = new Scenario().run(this.#lines);
    this.#lines = [];
    return `${answer.join('\n')}\n---\n`;
  }
}
