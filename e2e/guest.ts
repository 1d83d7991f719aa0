import type { Page } from '@playwright/test';

/** Resolves when the guest's shell waits for a command. */
export async function shellPrompt(page: Page): Promise<void> {
  await page.waitForFunction(() => window.playground?.serial.text.includes('# ') === true, undefined, {
    timeout: 120_000,
  });
}

/**
 * Types a command into the guest over the automation API and resolves with its output once `marker` and the exit
 * status have come back.
 */
export async function run(
  page: Page,
  command: string,
  timeoutMs = 60_000,
): Promise<{ output: string; status: number }> {
  const output = await page.evaluate(
    async ([line, timeout]) => {
      const { playground } = window;
      if (playground === undefined) throw new Error('the page has no automation API');
      const mark = `done-${Math.random().toString(36).slice(2, 8)}`;
      // Quoted in two parts, so that the echo of the line is not taken for its answer.
      const answer = playground.serial.expect(new RegExp(`${mark}=\\d+\\r`), timeout);
      playground.serial.send(`${line}; echo "${mark.slice(0, 5)}""${mark.slice(5)}=$?"\r`);
      return answer;
    },
    [command, timeoutMs] as const,
  );
  return { output, status: Number(/=(\d+)\r$/.exec(output)?.[1]) };
}

/** Drags a device card by its name and drops it on another lane, as a person with a mouse would. */
export async function dragToLane(page: Page, device: string, context: string): Promise<void> {
  const lane = page.getByRole('listitem', { name: `Context ${context}`, exact: true });
  await lane.scrollIntoViewIfNeeded();
  const from = await page.getByRole('article', { name: `Device ${device}` }).boundingBox();
  const to = await lane.boundingBox();
  if (from === null || to === null) throw new Error('nothing to drag, or nowhere to drop');
  await page.mouse.move(from.x + 110, from.y + 12);
  await page.mouse.down();
  await page.mouse.move(from.x + 130, from.y + 30, { steps: 4 });
  await page.mouse.move(to.x + 180, to.y + 24, { steps: 6 });
  await page.mouse.up();
}

/** The lane a device's card stands in. */
export const laneOf = (page: Page, device: string) =>
  page
    .getByRole('listitem', { name: /^Context / })
    .filter({ has: page.getByRole('article', { name: `Device ${device}` }) });
