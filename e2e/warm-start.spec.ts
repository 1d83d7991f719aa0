import type { Page } from '@playwright/test';
import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { run, shellPrompt } from './guest.ts';

/** Tag of the snapshot kept for the next visit. */
const kept = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => {
    const text = localStorage.getItem('qcontext-playground.warm-start');
    return text === null ? undefined : (JSON.parse(text) as { tag: string }).tag;
  });

/** Waits until the page has kept a snapshot, other than `before`. */
async function snapshotKept(page: Page, before?: string): Promise<string> {
  await expect.poll(async () => (await kept(page)) ?? before, { timeout: 90_000 }).not.toBe(before);
  return (await kept(page)) as string;
}

const origin = (page: Page) => page.getByTestId('origin');
const note = (page: Page) => page.getByRole('note');

/** The page says that it goes on from a snapshot; the failure has the sentence that says why not. */
async function resumed(page: Page): Promise<void> {
  await expect
    .poll(async () => [await origin(page).textContent(), ...(await note(page).allTextContents())].join(' '))
    .toMatch(/^LIVE restored from the snapshot of \S+( [AP]M)?$/);
}

/** Opens the page for the first time and waits until it has a snapshot for the next. */
async function firstVisit(page: Page): Promise<string> {
  await page.goto('/');
  await shellPrompt(page);
  await expect(origin(page)).toHaveText('LIVE booted');
  return snapshotKept(page);
}

test('the next visit goes on where this one was, at the prompt, and the guest answers', async ({ page }) => {
  const first = await firstVisit(page);
  // What the guest has yet to write to its disk it writes now: later it would spoil the snapshot under test.
  expect((await run(page, 'echo kept > /tmp/note; sync')).status).toBe(0);
  // The machine comes to rest and is saved again, by itself; the file before it is gone.
  const second = await snapshotKept(page, first);
  await expect.poll(() => page.evaluate(() => window.playground?.hmp('info snapshots'))).not.toContain(first);
  await page.getByRole('button', { name: 'Power' }).click();
  await expect(page.getByRole('menuitem', { name: /next visit/ })).toContainText('Next visit goes on from');
  await page.keyboard.press('Escape');

  await page.reload();
  await resumed(page);
  // What the terminal shows is what it showed: the guest has said nothing since.
  await expect(page.locator('.xterm-rows')).toContainText('echo kept');
  expect(await kept(page)).toBe(second);
  expect((await run(page, 'cat /tmp/note')).output).toContain('kept');
  // The kernel took the time at which it was saved for now; the guest sets it by the RTC.
  const lateSeconds = async (): Promise<number> =>
    Date.now() / 1000 - Number(/\d{10}/.exec((await run(page, 'date +%s')).output)?.[0]);
  await expect.poll(lateSeconds, { timeout: 40_000 }).toBeLessThan(3);

  // A reset boots, and what was restored is no longer claimed.
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(origin(page)).toHaveText('LIVE booted');
});

test('a disk written to since boots, says why, and a snapshot is made anew', async ({ page }) => {
  const first = await firstVisit(page);
  // Gone before the machine has come to rest.
  expect((await run(page, 'echo more > /root/more; sync')).status).toBe(0);
  await page.reload();
  await expect(note(page)).toContainText('was written to since the snapshot was made', { timeout: 60_000 });
  await expect(origin(page)).toHaveText('LIVE booted');
  await shellPrompt(page);
  const second = await snapshotKept(page, first);

  await page.reload();
  await expect(origin(page)).toHaveText(/restored/);
  expect((await run(page, 'cat /root/more')).output).toContain('more');

  // Damaged, it is refused; the machine boots.
  await snapshotKept(page, second);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const folder of root.values()) {
      if (folder.kind !== 'directory' || !folder.name.endsWith('.snapshots')) continue;
      for await (const handle of folder.values()) {
        if (handle.kind !== 'file') continue;
        const { size } = await handle.getFile();
        const file = await handle.createWritable({ keepExistingData: true });
        await file.write({ type: 'write', position: size / 2, data: new Uint8Array(64).fill(0x5a) });
        await file.close();
      }
    }
  });
  await page.reload();
  await expect(note(page)).toContainText('it is damaged', { timeout: 60_000 });
  await shellPrompt(page);
  expect((await run(page, 'cat /root/more')).output).toContain('more');
});

test('a second tab is told the disk is open, and costs the first nothing', async ({ page, context }) => {
  const first = await firstVisit(page);
  const other = await context.newPage();
  await other.goto('/');
  await expect(other.getByText(/is open in another tab/).first()).toBeVisible({ timeout: 60_000 });
  await other.close();
  expect((await run(page, 'echo still here; sync')).output).toContain('still here');
  await snapshotKept(page, first);
  await page.reload();
  await resumed(page);
});

test('where there is no room no snapshot is kept, and the page says so', async ({ page }) => {
  await page.addInitScript(() => {
    navigator.storage.estimate = () => Promise.resolve({ quota: 300 * 2 ** 20, usage: 280 * 2 ** 20 });
  });
  await page.goto('/');
  await shellPrompt(page);
  await expect(note(page)).toContainText('The next visit will boot: this site may store only', {
    timeout: 60_000,
  });
  expect(await kept(page)).toBeUndefined();
  await note(page).getByRole('button', { name: 'Dismiss' }).click();
  await expect(note(page)).toHaveCount(0);
});

test('whoever wants to boot at the next visit boots', async ({ page }) => {
  await firstVisit(page);
  await page.getByRole('button', { name: 'Power' }).click();
  await page.getByRole('menuitem', { name: /Boot at the next visit/ }).click();
  await page.reload();
  await shellPrompt(page);
  await expect(origin(page)).toHaveText('LIVE booted');
  await expect(note(page)).toHaveCount(0);
});
