import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { laneOf, run, shellPrompt } from './guest.ts';

const PANELS = [
  'Command line',
  'Monitor',
  'Images',
  'Ring',
  'Flow',
  'Waterfall',
  'Heat map',
  'Tables',
  'QOM tree',
  'Events',
];

/** Texts that are wider or higher than the box that hides what is outside it; terminal and editor scroll by themselves. */
const cutTexts = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('main *, header *')]
      .filter((element) => element.closest('.visually-hidden, .xterm, .cm-editor') === null)
      .filter((element) =>
        [...element.childNodes].some((node) => node instanceof Text && node.data.trim() !== ''),
      )
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return (
          box.width > 1 &&
          getComputedStyle(element).overflowX !== 'visible' &&
          element.scrollWidth > element.clientWidth + 1
        );
      })
      .map((element) => element.textContent ?? ''),
  );

for (const theme of ['dark', 'light'] as const) {
  test(`no axe violation in any panel, ${theme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.goto('/');
    await shellPrompt(page);
    for (const panel of PANELS) {
      await page.getByRole('tab', { name: panel }).click();
      await expect(page.getByRole('tab', { name: panel })).toHaveAttribute('aria-selected', 'true');
      await page.waitForTimeout(500);
      expect(await cutTexts(page), panel).toEqual([]);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(
        violations.map(
          (v) => `${panel}: ${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}`,
        ),
      ).toEqual([]);
    }
  });
}

test('no text is cut while the disk is busy, in any window', async ({ page }) => {
  await page.goto('/');
  await shellPrompt(page);
  const load = run(
    page,
    'fio --name=busy --filename=/dev/vda --rw=randread --bs=4k --direct=1 --ioengine=libaio --iodepth=8 --number_ios=20000 --output=/tmp/fio.txt',
    120_000,
  );
  // Five digits everywhere on the card.
  await expect
    .poll(() => page.evaluate(() => window.playground?.board()?.devices[0]?.queues[0]?.interrupts), {
      timeout: 60_000,
    })
    .toBeGreaterThan(10_000);
  for (const [width, height] of [
    [1440, 900],
    [1100, 800],
    [900, 800],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const panel of ['Ring', 'Flow', 'Waterfall', 'QOM tree']) {
      await page.getByRole('tab', { name: panel, exact: true }).click();
      await page.waitForTimeout(600);
      expect(await cutTexts(page), `${panel} at ${width}`).toEqual([]);
    }
    // The tabs stand in one line, all of them in sight.
    const tabs = page.getByRole('tablist', { name: 'Inspector' });
    expect(await tabs.evaluate((list) => list.scrollWidth <= list.clientWidth)).toBe(true);
  }
  await load;
});

test('nothing is wider than the page at 390 × 844, and the story works by taps', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  await shellPrompt(page);
  for (const tab of ['Loops', 'Request', 'Time', 'Guest', 'More']) {
    await page.getByRole('tab', { name: tab, exact: true }).click();
    await page.waitForTimeout(300);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  }
  // The inspector's tabs stand in one line, thumb-high and in sight, whichever is in bold.
  await page.getByRole('tab', { name: 'Request', exact: true }).click();
  const inspector = page.getByRole('tablist', { name: 'Inspector' }).getByRole('tab');
  for (const name of ['Waterfall', 'Events']) {
    await page.getByRole('tab', { name, exact: true }).click();
    const boxes = await inspector.evaluateAll((tabs) =>
      tabs.map((tab) => tab.getBoundingClientRect().toJSON()),
    );
    expect(new Set(boxes.map(({ top }) => top)).size, name).toBe(1);
    expect(Math.min(...boxes.map(({ height }) => height))).toBeGreaterThanOrEqual(44);
    expect(Math.max(...boxes.map(({ right }) => right))).toBeLessThanOrEqual(390);
  }
  await page.getByRole('tab', { name: 'Guest', exact: true }).click();
  await expect(
    page.getByRole('toolbar', { name: 'Terminal keys' }).getByRole('button', { name: 'Escape' }),
  ).toBeVisible();
  await page.getByRole('tab', { name: 'Loops', exact: true }).click();
  await page.getByRole('button', { name: 'Drag disk0' }).click();
  await page
    .getByRole('listitem', { name: 'Context main' })
    .getByRole('button', { name: 'Put disk0 here' })
    .click();
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context main');
});
