import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { run, shellPrompt } from './guest.ts';

const lane = (page: Page, id: string) => page.getByRole('listitem', { name: `Context ${id}`, exact: true });
const announcer = (page: Page) => page.getByTestId('announcer');
const queue = (page: Page) => page.evaluate(() => window.playground?.board()?.devices[0]?.queues[0]);

/** Reads of the disk that go past every cache, until told otherwise; resolves with what fio says. */
const fio = (page: Page) =>
  run(
    page,
    'fio --name=v --filename=/root/v.dat --size=4m --rw=randrw --bs=4k --direct=1 --ioengine=libaio --iodepth=8 ' +
      '--verify=crc32c --verify_fatal=1 --time_based --runtime=12 --output=/tmp/fio.txt; grep -c "err= 0" /tmp/fio.txt',
    120_000,
  );
const underLoad = (page: Page) =>
  page.waitForFunction(() => (window.playground?.board()?.devices[0]?.queues[0]?.requests ?? 0) > 2000);

test('a context is held under load, stepped and released: by mouse, by keys, by the palette', async ({
  page,
}) => {
  await page.goto('/');
  await shellPrompt(page);
  const load = fio(page);
  await underLoad(page);
  const ctx0 = lane(page, 'ctx0');
  await expect(lane(page, 'main').getByRole('button', { name: /^Hold/ })).toHaveCount(0);

  await ctx0.getByRole('button', { name: 'Hold ctx0' }).click();
  await expect(announcer(page)).toHaveText('ctx0 is held: it dispatches nothing until released');
  await expect(ctx0).toContainText(/held for [\d.]+ m?s, \d+ waits? in the ring of disk0/);
  const before = await queue(page);
  await page.waitForTimeout(300);
  const after = await queue(page);
  expect([after?.usedIdx, after?.lastAvail]).toEqual([before?.usedIdx, before?.lastAvail]);
  expect(after?.waiting).toBeGreaterThan(0);

  // The focus is on Release, in the lane: its keys step.
  await expect(ctx0.getByRole('button', { name: 'Release ctx0' })).toBeFocused();
  await page.keyboard.press('s');
  await expect(announcer(page)).toHaveText(/^ctx0 dispatched .+, (<10 µs|[\d.]+ [µm]s)$/);
  await expect(ctx0.getByRole('group', { name: 'Step ctx0' })).toContainText(/ctx0 dispatched /);
  // Inside it, from the trace: a request's stages in their order, with the guest's part after them.
  const stages = ctx0.getByRole('list', { name: 'Stages inside the last step of ctx0' });
  await expect(stages).toContainText(
    /taken.*\+.*submitted.*answered.*used.*interrupt.*guest claims.*guest acknowledges/,
  );
  await ctx0.getByRole('button', { name: 'Step ctx0: one iteration' }).click();
  await expect(announcer(page)).toHaveText(/^ctx0 dispatched /);

  // The same from the bar, by keys alone: its menu lists what can be done to a held context.
  await page.getByRole('button', { name: 'Step', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: /^Hold ctx1/ })).toBeVisible();
  await page.keyboard.type('One it');
  await page.keyboard.press('Enter');
  await expect(announcer(page)).toHaveText(/^ctx0 dispatched /);
  await expect(page.getByRole('button', { name: 'Step', exact: true })).toBeFocused();

  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForTimeout(400);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(
      violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}`),
    ).toEqual([]);
  }

  // A move has to wait for what ctx0 has taken: refused, with the way out.
  const moved = await page.evaluate(() =>
    window.playground
      ?.qmp('qom-set', { path: '/machine/peripheral/disk0', property: 'context', value: 'main' })
      .then(
        () => 'moved',
        (error: Error) => error.message,
      ),
  );
  expect(moved).toContain('ctx0 is held');

  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox', { name: 'Find a command' }).fill('Release ctx0');
  await page.keyboard.press('Enter');
  await expect(announcer(page)).toHaveText(/^ctx0 goes on after [\d.]+ m?s: /);
  await expect(ctx0.getByRole('button', { name: 'Hold ctx0' })).toBeVisible();
  expect((await load).output).toMatch(/[\r\n]1\r/);
});

test('the same by taps at 390 × 844, and quitting a held machine is quick', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  await shellPrompt(page);
  const bar = page.getByRole('button', { name: 'Step', exact: true });
  // From the Guest tab: the lane comes to the front, where it is said what happened.
  await bar.click();
  await page.getByRole('menuitem', { name: /^Hold ctx0/ }).click();
  const ctx0 = lane(page, 'ctx0');
  await expect(ctx0).toContainText(/held for/);
  await ctx0.getByRole('button', { name: 'Step ctx0: one dispatch' }).click();
  await expect(ctx0.getByRole('group', { name: 'Step ctx0' })).toContainText(/ctx0 dispatched /);
  await bar.click();
  const menu = page.getByRole('menu');
  const box = await menu.boundingBox();
  expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 999) <= 390).toBe(true);
  await menu.getByRole('menuitem', { name: /^a kick/ }).click();
  await expect(announcer(page)).toHaveText(/^ctx0 (runs until|stopped)/);
  await bar.click();
  await expect(page.getByRole('menuitem', { name: /ctx0/ })).toBeVisible();
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  const ms = await page.evaluate(async () => {
    const start = performance.now();
    await window.playground?.stop();
    return performance.now() - start;
  });
  expect(ms).toBeLessThan(2500);
});

test('a breakpoint stops the context that hits it; the request is followed; the hit is said in words', async ({
  page,
}) => {
  await page.goto('/');
  await shellPrompt(page);
  const ctx0 = lane(page, 'ctx0');
  const breakpoints = page.getByRole('list', { name: 'Breakpoints' });
  await page.getByRole('tab', { name: 'Flow' }).click();
  const kick = page.getByRole('button', { name: 'Break here: Kick' });
  await kick.click();
  await expect(kick).toHaveAttribute('aria-pressed', 'true');
  await expect(breakpoints).toContainText('virtio_queue_notify of disk0 queue 0');

  const read = run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=8 iflag=direct', 60_000);
  await expect(announcer(page)).toHaveText('ctx0 stopped before the kick of disk0 queue 0');
  // A guest that has just booted may have more to read and write than dd has.
  await expect(ctx0).toContainText(/held for .* [1-9]\d* waits? in the ring of disk0/);
  await expect(breakpoints).toContainText(/[1-9]\d* hits?/);
  await kick.click();
  await expect(breakpoints).toHaveCount(0);

  await ctx0.getByRole('button', { name: 'Step ctx0: next stage of this request' }).click();
  await expect(announcer(page)).toHaveText(
    /^ctx0 stopped after the dispatch with virtqueue_pop: request #\d+ of disk0 queue 0$/,
  );
  await expect(ctx0.getByRole('list', { name: 'Stages inside the last step of ctx0' })).toContainText(
    /taken.*submitted.*answered.*used/,
  );
  await ctx0.getByRole('button', { name: 'Step ctx0: until an event' }).click();
  await page.getByRole('menuitem', { name: 'a kick' }).click();
  // The next of the eight blocks.
  await expect(announcer(page)).toHaveText('ctx0 stopped before the kick of disk0 queue 0');
  await ctx0.getByRole('button', { name: 'Release ctx0' }).click();
  expect((await read).status).toBe(0);

  await page.getByRole('tab', { name: 'Events' }).click();
  const pop = page.getByRole('button', { name: 'Break at virtqueue_pop' });
  await pop.focus();
  await page.keyboard.press('Enter');
  await expect(breakpoints).toContainText('virtqueue_pop');
  const again = run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=1 skip=9 iflag=direct', 60_000);
  await expect(announcer(page)).toHaveText(/^ctx0 stopped /);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}`),
  ).toEqual([]);
  await breakpoints.getByRole('button', { name: 'Remove breakpoint: virtqueue_pop' }).click();
  await ctx0.getByRole('button', { name: 'Release ctx0' }).click();
  expect((await again).status).toBe(0);
});
