import AxeBuilder from '@axe-core/playwright';
import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { laneOf, shellPrompt } from './guest.ts';

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

for (const theme of ['dark', 'light'] as const) {
  test(`no axe violation in any panel, ${theme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.goto('/');
    await shellPrompt(page);
    for (const panel of PANELS) {
      await page.getByRole('tab', { name: panel }).click();
      await expect(page.getByRole('tab', { name: panel })).toHaveAttribute('aria-selected', 'true');
      await page.waitForTimeout(500);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(
        violations.map(
          (v) => `${panel}: ${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}`,
        ),
      ).toEqual([]);
    }
  });
}

test('nothing is wider than the page at 390 × 844, and the story works by taps', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  await shellPrompt(page);
  for (const tab of ['Loops', 'Request', 'Time', 'Guest', 'More']) {
    await page.getByRole('tab', { name: tab, exact: true }).click();
    await page.waitForTimeout(300);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
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
