import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import '../src/ui/app/playground-api.ts';
import { encodeShared } from '../src/ui/model/share.ts';
import { expect, test } from './fixtures.ts';
import { shellPrompt } from './guest.ts';

const strip = (page: Page, title: string): Locator =>
  page.getByRole('region', { name: `Scenario: ${title}` });

async function begin(page: Page, title: string): Promise<Locator> {
  await page.getByRole('button', { name: 'Scenarios' }).first().click();
  await page.getByRole('menuitem', { name: title }).click();
  return strip(page, title);
}

/** Presses the step's button and waits for what the machine showed. */
async function press(scenario: Locator, button: string | RegExp, finding: RegExp): Promise<void> {
  await scenario.getByRole('button', { name: button }).click({ timeout: 60_000 });
  await expect(scenario).toContainText(finding, { timeout: 60_000 });
}

test('will typing lag? is answered by timed echoes, on the main loop and beside it', async ({ page }) => {
  await page.goto('/');
  await shellPrompt(page);
  const scenario = await begin(page, 'Will typing lag?');
  await press(scenario, 'Type 20 letters', /echo took .* in the median, .* at most \(n 20\)/);
  // The scenario's own configuration: the disk is on the main loop.
  await expect(page.getByRole('listitem', { name: 'Context main' })).toContainText('disk0');
  await press(scenario, 'Put it under load', /requests a second/);
  await press(scenario, 'Type 20 letters', /echo took/);
  await press(scenario, 'Move the disk to ctx0', /Median latency was|moved to ctx0/);
  await press(scenario, 'Type 20 letters', /echo took/);
  await expect(scenario.getByRole('button', { name: 'Scenarios' })).toBeVisible();
  expect((await new AxeBuilder({ page }).include('main').analyze()).violations).toEqual([]);

  // The link carries it, at its step.
  await page.getByRole('button', { name: 'Share this configuration as a link' }).click();
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  await page.goto('about:blank');
  await page.goto(link);
  await expect(strip(page, 'Will typing lag?')).toBeVisible();
  await shellPrompt(page);
  await expect(strip(page, 'Will typing lag?')).toContainText('this browser’s figures');
});

test('kicks, a drained section and a refused look-up are shown by the machine’s own counters', async ({
  page,
}) => {
  await page.goto('/');
  await shellPrompt(page);
  const kicks = await begin(page, 'The kick that is not given');
  await press(kicks, 'Read one by one', /\d+ requests took \d+ kicks?/);
  await press(kicks, 'Read many at once', /requests took [\d ]+kicks? and [\d ]+interrupts?/);
  const defects = await begin(page, 'The proposal’s seven defects');
  await press(defects, 'Read one block', /Sources dispatched on ctx0/);
  await press(defects, /nowhere/, /Refused, and the machine runs on: .*nowhere/);
  const drained = await begin(page, 'A drained section');
  await press(drained, 'Put it under load', /requests a second/);
  await press(drained, 'Move the disk to main', /in flight w.* waited for, .* without service/);
});

test('two queues share a context until one is moved', async ({ page }) => {
  await page.goto('/');
  await shellPrompt(page);
  const scenario = await begin(page, 'Two queues, one thread');
  await press(scenario, 'Put it under load', /queue 0: .*queue 1: .*all of it on ctx0/);
  await press(scenario, 'Move queue 1 to ctx1', /ctx0 is busy .*, ctx1 /);
});

test('who dispatches, what for, and what a change does: three defects, on the machine', async ({ page }) => {
  await page.goto('/');
  await shellPrompt(page);
  const scenario = await begin(page, 'Three defects of the loop');
  await press(
    scenario,
    'Read for 5 seconds',
    /handler of queue 0 ran [\d\s]+ times? for [\d\s]+ signals? \([\d\s]+ kicks?\); .*queue 1 /,
  );
  await expect(scenario).not.toContainText('more often than');
  await press(
    scenario,
    /count who dispatches/,
    /by the context’s own thread: .*[1-9][\d\s]* of ctx0.*; by another thread: 0\./,
  );
  await press(
    scenario,
    'Move queue 1 to ctx1 and back',
    /ctx0\/aio is the same source as before, dispatched [\d\s]+ times/,
  );
  await expect(scenario).toContainText('sources detached: 0, attached: 0; both queues are served');
});

test('polling is switched while the machine runs', async ({ page }) => {
  await page.goto('/');
  await shellPrompt(page);
  const scenario = await begin(page, 'poll-max-ns');
  await press(scenario, 'poll-max-ns=0, then read', /requests, .*kicks; ctx0 dispatched .* and polled 0.0 %/);
  await press(scenario, 'poll-max-ns=200000, then read', /requests, .*kicks; ctx0 dispatched/);
});

test('a link carries which panels are shown and how large, and forgets nothing else', async ({ page }) => {
  await page.goto('/');
  const contexts = page.getByRole('region', { name: 'Contexts' });
  const border = page.getByRole('separator', { name: 'Resize contexts and inspector' });
  const before = (await contexts.boundingBox())?.width ?? 0;
  await border.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  await page.getByRole('tab', { name: 'Tables' }).click();
  const moved = (await contexts.boundingBox())?.width ?? 0;
  expect(Math.abs(moved - before)).toBeGreaterThan(30);
  await page.getByRole('button', { name: 'Share this configuration as a link' }).click();
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  // Remembered here as well; for whoever opens the link it is new.
  await page.reload();
  await expect.poll(async () => (await contexts.boundingBox())?.width).toBeCloseTo(moved, -1);
  await page.evaluate(() => localStorage.clear());
  await page.goto('about:blank');
  await page.goto(link);
  await expect(page.getByRole('tab', { name: 'Tables', selected: true })).toBeVisible();
  await expect.poll(async () => (await contexts.boundingBox())?.width).toBeCloseTo(moved, -1);
});

test('a link that names a scenario of another version opens the rest, and says so', async ({ page }) => {
  const link = await encodeShared({
    commandLine: '-m 256',
    inspector: 'flow',
    scenario: 'of-tomorrow',
    step: 'x',
  });
  await page.goto(`/${link}`);
  await expect(page.getByRole('region', { name: 'First steps' })).toContainText(
    'names the scenario “of-tomorrow”, which this version does not have',
  );
  await expect(page.getByRole('tab', { name: 'Flow', selected: true })).toBeVisible();
});
