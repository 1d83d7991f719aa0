import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { run, shellPrompt } from './guest.ts';

/** What the strip at the foot of the page says of something. */
const stripSays = (page: Page, name: string) =>
  page
    .getByLabel('What the numbers rest on')
    .getByText(name, { exact: true })
    .locator('xpath=following-sibling::dd');
const number = (text: string): number => Number(text.replace(/\D/g, ''));
const fact = async (page: Page, name: string): Promise<number> =>
  number(await stripSays(page, name).innerText());

async function boot(page: Page): Promise<void> {
  await page.goto('/');
  await shellPrompt(page);
}

test('every event is counted: seen = counted + lost, before, during and after a load', async ({ page }) => {
  await boot(page);
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=3000 iflag=direct');
  await expect(async () => {
    const [seen, counted, lost] = [
      await fact(page, 'events seen'),
      await fact(page, 'counted'),
      await fact(page, 'lost'),
    ];
    const trace = await page.evaluate(() => window.playground?.trace());
    expect(seen).toBeGreaterThan(20_000);
    expect(counted + lost).toBe(seen);
    expect((trace?.written ?? 0) + (trace?.lost ?? 0)).toBeGreaterThanOrEqual(seen);
  }).toPass();
});

test('a machine that has more requests than anyone can look at: one in sixteen is followed, every one counted', async ({
  page,
}) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Guest', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Built-in guest' }).click();
  await page.getByRole('button', { name: 'Apply and restart' }).click();
  const prompt = async (): Promise<void> => {
    await page.waitForFunction(() => window.playground?.serial.text.endsWith('> ') === true);
  };
  await prompt();
  const followed = stripSays(page, 'requests followed');
  await expect(followed).toHaveText('every one');
  await page.getByRole('tab', { name: 'Flow' }).click();
  await page.getByTestId('terminal').click();
  await page.keyboard.type('read rand qd 16 secs 8\n');
  // Where the machine leaves the page a core, all are.
  const scarce = await page.evaluate(() => navigator.hardwareConcurrency <= 2);
  if (scarce) {
    await expect(followed).toHaveText('1 of 16');
    await expect(page.getByText('times of 1 request in 16, all are counted')).toBeVisible();
  }
  await page.getByRole('tab', { name: 'Events' }).click();
  const every = page.getByRole('switch', { name: 'Follow every request' });
  await expect(every).not.toBeChecked();
  await page.getByText('Follow every request').click();
  await expect(every).toBeChecked();
  await expect(followed).toHaveText('every one');
  expect(await page.evaluate(() => window.playground?.serial.text.endsWith('> '))).toBe(false);
  await prompt();

  await expect(async () => {
    const queue = await page.evaluate(() => window.playground?.board()?.devices[0]?.queues[0]);
    const requests = queue?.requests ?? 0;
    expect(requests).toBeGreaterThan(10_000);
    // Recording every one, a host that is busy elsewhere may have lost some: those are known to be.
    const lost = await fact(page, 'lost');
    for (const event of [
      'virtqueue_pop',
      'virtio_blk_handle_read',
      'virtio_blk_req_complete',
      'virtqueue_fill',
    ]) {
      const row = page.getByRole('listitem').filter({ hasText: event });
      const missing = requests - number((await row.innerText()).replace(event, ''));
      expect(missing).toBeGreaterThanOrEqual(0);
      expect(missing).toBeLessThanOrEqual(lost);
    }
    expect((await fact(page, 'counted')) + lost).toBe(await fact(page, 'events seen'));
  }).toPass();
});

test('one request is followed from kick to acknowledgement, and found in the timeline by its id', async ({
  page,
}) => {
  await boot(page);
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=1 skip=321 iflag=direct');
  await page.getByRole('tab', { name: 'Waterfall' }).click();
  await page.getByRole('button', { name: /Order/ }).click();
  await page.getByRole('option', { name: 'Newest' }).click();
  const list = page.getByRole('listbox', { name: 'Requests' });
  await list.getByRole('option').first().click();
  const stages = page.getByRole('region', { name: 'Stages of the request' });
  for (const stage of ['pop → submit', 'submit → disk done', 'disk done → used'])
    await expect(stages.getByRole('row', { name: stage })).toContainText(/µs|ms/);
  const title = await stages.getByRole('heading').first().innerText();
  const id = /#(\d+)/.exec(title)?.[0] ?? '';
  expect(id).not.toBe('');

  const search = page.getByRole('textbox', { name: 'Search events' });
  await search.fill(id);
  await search.press('Shift+Enter');
  await page.getByRole('button', { name: 'The same as tables' }).click();
  const tables = page.getByRole('region', { name: 'Statistics' });
  await page.getByRole('button', { name: /Everything that is kept/ }).click();
  await expect(tables.getByRole('row', { name: /virtqueue_pop 1$/ })).toBeVisible();
  await expect(tables.getByRole('row', { name: /blk_co_preadv 1$/ })).toBeVisible();
  await expect(tables.getByRole('row', { name: /virtqueue_fill 1$/ })).toBeVisible();
});

test('two requests are compared, one is found in the timeline, the next one stops its context', async ({
  page,
}) => {
  await boot(page);
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=4 iflag=direct');
  await page.getByRole('tab', { name: 'Waterfall' }).click();
  const options = page.getByRole('listbox', { name: 'Requests' }).getByRole('option');
  const stages = page.getByRole('region', { name: 'Stages of the request' });
  await options.first().click();
  await stages.getByRole('button', { name: 'Pin' }).click();
  await options.nth(1).click();
  await expect(stages.getByRole('heading')).toHaveCount(2);
  // What differs is said: more, less, or no difference the clock can tell.
  await expect(stages.getByRole('row', { name: 'submit → disk done' }).first()).toContainText(/±0|[+−]/);

  const title = await stages.getByRole('heading').first().innerText();
  await stages.getByRole('button', { name: 'In the timeline' }).first().click();
  await expect(page.getByRole('textbox', { name: 'Search events' })).toHaveValue(
    /#\d+/.exec(title)?.[0] ?? '',
  );
  await expect(page.getByRole('region', { name: 'Timeline' })).toContainText(/µs in view|ms in view/);

  // A throttled disk has requests under way: one is followed to its next stage.
  const throttle = (iops: number): Promise<unknown> | undefined =>
    page.evaluate(
      (n) =>
        window.playground?.qmp('block_set_io_throttle', {
          id: '/machine/peripheral/disk0',
          bps: 0,
          bps_rd: 0,
          bps_wr: 0,
          iops: n,
          iops_rd: 0,
          iops_wr: 0,
        }),
      iops,
    );
  // Its program is in memory by then: what is under way are its eight reads, not pages of it.
  await run(page, 'fio --version');
  await throttle(1);
  const reads = run(
    page,
    'fio --name=t --filename=/dev/vda --size=4m --rw=randread --bs=4k --direct=1 --ioengine=libaio --iodepth=8 --number_ios=8 --output=/tmp/fio.txt',
    60_000,
  );
  await page.getByRole('button', { name: /Order/ }).click();
  await page.getByRole('option', { name: 'Under way' }).click();
  // The youngest: at one a second the disk gets to it in a while.
  await expect.poll(() => options.count()).toBeGreaterThan(4);
  const one = stages.getByRole('group').first();
  // The list moves up as the disk finishes one a second: whoever clicks beside it, or too late, tries again.
  await expect(async () => {
    await options.last().click();
    const followed = await one.getAttribute('aria-label');
    await one.getByRole('button', { name: 'Next stage' }).click();
    await expect(page.getByTestId('announcer')).toHaveText(
      new RegExp(
        `^ctx0 stopped after the dispatch with \\w+: request #${followed?.replace(/\D/g, '')} of disk0`,
      ),
      { timeout: 12_000 },
    );
  }).toPass({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Release ctx0' }).click();
  await throttle(0);
  expect((await reads).status).toBe(0);

  await page.getByRole('button', { name: /Order/ }).click();
  await page.getByRole('option', { name: 'Newest' }).click();
  await options.first().click();
  await one.getByRole('button', { name: 'Break at the next request of disk0' }).click();
  const stopped = run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=1 skip=9 iflag=direct', 60_000);
  await expect(page.getByTestId('announcer')).toHaveText(
    /^ctx0 stopped after the dispatch with virtqueue_pop/,
  );
  await one.getByRole('button', { name: 'Break at the next request of disk0' }).click();
  await page.getByRole('button', { name: 'Release ctx0' }).click();
  expect((await stopped).status).toBe(0);
});

test('a request is gone after from view to view: waterfall, flow, timeline, heat map, ring, and back', async ({
  page,
}) => {
  await boot(page);
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=6 iflag=direct');
  await page.getByRole('tab', { name: 'Waterfall' }).click();
  const stages = page.getByRole('region', { name: 'Stages of the request' });
  const title = stages.getByRole('heading').first();
  const shown = async (): Promise<string> => /#\d+/.exec(await title.innerText())?.[0] ?? '';
  await page.getByRole('listbox', { name: 'Requests' }).getByRole('option').nth(2).click();
  const id = await shown();
  expect(id).toMatch(/^#\d+$/);
  const req = id.slice(1);
  const isSelected = (tab: string) =>
    expect(page.getByRole('tab', { name: tab })).toHaveAttribute('aria-selected', 'true');

  // To the flow: its own moments at the stations, and back.
  await stages.getByRole('button', { name: 'In the flow' }).click();
  await isSelected('Flow');
  await expect(page.getByRole('list', { name: 'The way of a request' })).toContainText(id);
  const one = page.getByRole('group', { name: `Request ${req}` });
  await one.getByRole('button', { name: 'In the waterfall' }).click();
  await isSelected('Waterfall');
  expect(await shown()).toBe(id);

  // To the timeline; by keys alone to one of its records, and from there back.
  await page.getByRole('tab', { name: 'Flow' }).click();
  await one.getByRole('button', { name: 'In the timeline' }).click();
  await expect(page.getByRole('textbox', { name: 'Search events' })).toHaveValue(id);
  // The text may stand there a moment before the timeline has been told to look for it.
  await expect(async () => {
    await page.getByRole('textbox', { name: 'Search events' }).press('Enter');
    await expect(page.getByRole('button', { name: id, exact: true })).toBeVisible({ timeout: 2000 });
  }).toPass();
  await page.getByRole('application', { name: /^Timeline/ }).focus();
  await page.keyboard.press('r');
  await isSelected('Waterfall');
  expect(await shown()).toBe(id);
  await page.getByRole('button', { name: 'The same as tables' }).click();
  // From another tab, so that it can be seen when the request has come.
  await page.getByRole('tab', { name: 'Flow' }).click();
  await page
    .getByRole('region', { name: 'Statistics' })
    .getByRole('button', { name: `Request ${req} in the waterfall` })
    .first()
    .click();
  await isSelected('Waterfall');
  expect(await shown()).toBe(id);

  // From the heat map: the slowest request of a cell, by keys.
  await page.getByRole('tab', { name: 'Heat map' }).click();
  await page.getByRole('application', { name: /^Heat map/ }).focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('button', { name: 'Slowest in the cell' })).toBeEnabled();
  await page.getByRole('application', { name: /^Heat map/ }).press('Enter');
  await isSelected('Waterfall');
  await expect(title).toContainText(/#\d+ (read|write|flush)/);

  // From the ring: the request whose head stands in the newest slot.
  await page.getByRole('tab', { name: 'Ring' }).click();
  await page.getByRole('application', { name: /^Ring of/ }).press('ArrowRight');
  await page.getByRole('button', { name: 'Its request in the waterfall' }).click();
  await isSelected('Waterfall');
  await expect(title).toContainText(/#\d+ /);
});

test('the timeline is driven by keys alone, and says what the cursor is at', async ({ page }) => {
  await boot(page);
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=20 iflag=direct');
  const timeline = page.getByRole('application', { name: /^Timeline/ });
  const said = page.getByRole('region', { name: 'Timeline', exact: true });
  await timeline.focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('w');
  await page.keyboard.press('ArrowLeft');
  await expect(said).toContainText(/s · main · /);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowLeft');
  await expect(said).toContainText(/s · ctx0 · /);
  await page.keyboard.press('Shift+ArrowLeft');
  await expect(page.getByRole('region', { name: 'Statistics' })).toContainText('Selection');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('region', { name: 'Statistics' })).toHaveCount(0);
  await page.keyboard.press('End');
  await expect(said).toContainText('in view');
});

test('an event that is switched off is written no more', async ({ page }) => {
  await boot(page);
  await page.getByRole('tab', { name: 'Events' }).click();
  const pops = page.getByRole('listitem').filter({ hasText: 'virtqueue_pop' });
  const popsSoFar = async (): Promise<number> => Number((await pops.innerText()).replace(/\D/g, ''));
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=20 iflag=direct');
  await expect.poll(popsSoFar).toBeGreaterThan(20);
  await page.getByText('virtqueue_pop', { exact: true }).click();
  await expect(page.getByRole('switch', { name: 'virtqueue_pop' })).not.toBeChecked();
  await page.waitForTimeout(1000);
  const before = await popsSoFar();
  await run(page, 'dd if=/dev/vda of=/dev/null bs=4k count=20 iflag=direct');
  await page.waitForTimeout(1000);
  expect(await popsSoFar()).toBe(before);
});

test('the trace is saved with its counts', async ({ page }) => {
  await boot(page);
  const save = async (format: RegExp): Promise<Buffer> => {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the trace' }).click();
    await page.getByRole('menuitem', { name: format }).click();
    return readFile(await (await download).path());
  };
  const lines = (await save(/JSON/)).toString().trimEnd().split('\n');
  const header = JSON.parse(lines[0] ?? '{}') as Record<string, number>;
  expect(header['records']).toBe(lines.length - 1);
  expect(header['counted']).toBe(
    Number(header['records']) +
      Number(header['droppedFromWindow']) +
      Number(header['notKept']) +
      Number(header['onlyCounted']),
  );
  const perfetto = await save(/Perfetto trace/);
  // TracePacket is field 1 of a Trace, length-delimited.
  expect(perfetto[0]).toBe(0x0a);
  expect(perfetto.length).toBeGreaterThan(10_000);
});

test('the trace is opened in Perfetto through a page without the isolation headers', async ({
  page,
  context,
}) => {
  // Perfetto's side of its documented protocol: answers PING, takes one buffer.
  await context.route('https://ui.perfetto.dev/**', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<title>UI</title><output></output><script>
        addEventListener('message', ({ data, source, origin }) => {
          if (data === 'PING') source.postMessage('PONG', origin);
          else document.querySelector('output').textContent =
            data.perfetto.fileName + ' ' + data.perfetto.buffer.byteLength + ' ' + new Uint8Array(data.perfetto.buffer)[0];
        });</script>`,
    }),
  );
  const isolated = await page.request.get('/');
  expect(isolated.headers()['cross-origin-opener-policy']).toBe('same-origin');
  expect(isolated.headers()['cross-origin-embedder-policy']).toBe('require-corp');
  const plain = await page.request.get('/bridge.html');
  expect(plain.headers()['cross-origin-opener-policy']).toBeUndefined();
  expect(plain.headers()['cross-origin-embedder-policy']).toBeUndefined();

  await boot(page);
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Save the trace' }).click();
  await page.getByRole('menuitem', { name: /Open in Perfetto/ }).click();
  const bridge = await opened;
  await expect(bridge.getByRole('status')).toContainText(
    /The trace is here: qcontext-.*\.pftrace, [\d.]+ MB/,
  );
  expect((await new AxeBuilder({ page: bridge }).analyze()).violations).toEqual([]);
  const saved = bridge.waitForEvent('download');
  await bridge.getByRole('link', { name: 'Save the file instead' }).click();
  expect((await saved).suggestedFilename()).toMatch(/\.pftrace$/);

  const ui = context.waitForEvent('page');
  await bridge.getByRole('button', { name: 'Open ui.perfetto.dev' }).click();
  await expect((await ui).locator('output')).toHaveText(/^qcontext-.*\.pftrace \d{5,} 10$/);
  await expect(bridge.getByRole('status')).toContainText('Perfetto has the trace');
  // The machine's page noticed nothing.
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
});

test('a bridge without a trace, or offline, says so', async ({ page, context }) => {
  await page.goto('/bridge.html');
  await expect(page.getByRole('status')).toContainText('There is no trace here');
  await expect(page.getByRole('link')).toBeHidden();
  await boot(page);
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Save the trace' }).click();
  await expect(page.getByRole('menuitem', { name: /Open in Perfetto/ })).toHaveAttribute(
    'aria-disabled',
    'true',
  );
  await expect(page.getByRole('menuitem', { name: /Open in Perfetto/ })).toContainText('offline');
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: /Perfetto trace/ }).click();
  await download;
});
