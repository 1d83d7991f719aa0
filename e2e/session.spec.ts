import type { BrowserContext, Page } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../src/ui/app/playground-api.ts';
import { expect, openBrowser, test as base } from './fixtures.ts';
import { dragToLane, laneOf, run, shellPrompt } from './guest.ts';

/** One browser and one guest for all: the story of a visit, in order. */
let profile: string;
let browser: BrowserContext;
let page: Page;

base.describe.configure({ mode: 'serial' });
base.beforeAll(async () => {
  profile = mkdtempSync(join(tmpdir(), 'qcontext-session-'));
  browser = await openBrowser(profile);
  page = browser.pages()[0] ?? (await browser.newPage());
});
base.afterAll(async () => {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
});
const test = base;

test('boots to a prompt, naming phases and bytes on the way', async () => {
  await page.goto('/');
  await expect(page.getByRole('progressbar').first()).toBeVisible();
  await expect(page.getByText(/[\d.]+ MiB of [\d.]+ MiB/).first()).toBeVisible();
  await shellPrompt(page);
  await expect(page.getByTestId('run-state')).toHaveText('running');
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx0');
});

test('the first steps complete from what the machine shows', async () => {
  const guide = page.getByRole('region', { name: 'First steps' });
  await guide.getByRole('button', { name: 'Read one block' }).click();
  await expect(guide).toContainText(/\d+ requests? crossed the ring/);
  await guide.getByRole('button', { name: 'Skip, just explore' }).click();
  await expect(guide).toHaveCount(0);
});

test('keys typed into the terminal reach the guest, and Tab leaves an empty line', async () => {
  await page.getByTestId('terminal').click();
  await page.keyboard.type('echo typed-$((6*7))\n');
  await page.waitForFunction(() => window.playground?.serial.text.includes('typed-42\r') === true);
  await page.keyboard.press('Tab');
  await expect(page.locator('.xterm-helper-textarea')).not.toBeFocused();
});

test('what the guest wrote and synced is there after a reload', async () => {
  expect(
    (await run(page, 'mount -o remount,rw / 2>/dev/null; echo kept > /root/kept.txt && sync')).status,
  ).toBe(0);
  await page.reload();
  await shellPrompt(page);
  expect((await run(page, 'cat /root/kept.txt')).output).toContain('kept\r');
});

test('the disk is dragged between lanes while fio verifies: no error, command line and card follow', async () => {
  const fio = run(
    page,
    'fio --name=v --filename=/root/v.dat --size=4m --rw=randrw --bs=4k --direct=1 --ioengine=libaio --iodepth=8 ' +
      '--verify=crc32c --verify_fatal=1 --time_based --runtime=12 --output=/tmp/fio.txt',
    120_000,
  );
  await page.waitForFunction(() => (window.playground?.board()?.devices[0]?.queues[0]?.inFlight ?? 0) > 0);
  for (const context of ['main', 'ctx1', 'ctx0', 'main']) {
    await dragToLane(page, 'disk0', context);
    await expect(laneOf(page, 'disk0')).toHaveAccessibleName(`Context ${context}`);
    await expect(page.getByTestId('move-card')).toContainText('serving again after');
  }
  await expect(page.getByRole('textbox', { name: 'QEMU-style command line' })).toContainText('context=main');
  await page.getByTestId('move-card').locator('summary').click();
  await expect(page.getByTestId('move-card').getByRole('row', { name: /^after, main/ })).toBeVisible();
  expect((await fio).status).toBe(0);
  expect((await run(page, 'grep -c "err= 0" /tmp/fio.txt')).output).toMatch(/[\r\n]1\r/);
});

test('Undo takes it back', async () => {
  await page.getByTestId('move-card').getByRole('button', { name: 'Undo' }).click();
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx0');
});

test('the Move menu moves it, by keyboard alone, and the focus stays with the card', async () => {
  await page.getByRole('button', { name: 'Move disk0' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'ctx1' })).toBeVisible();
  await page.keyboard.type('ctx1');
  await page.keyboard.press('Enter');
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx1');
  await expect(page.getByRole('article', { name: 'Device disk0' }).locator(':focus')).toHaveCount(1);
});

test('picking it up and putting it down moves it without dragging', async () => {
  await page.getByRole('button', { name: 'Drag disk0' }).click();
  await page
    .getByRole('listitem', { name: 'Context ctx0' })
    .getByRole('button', { name: 'Put disk0 here' })
    .click();
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx0');
});

test('it is dragged by keys alone, and the focus goes from lane to lane', async () => {
  await page.getByRole('button', { name: 'Drag disk0' }).focus();
  await page.keyboard.press('Enter');
  const lane = page.getByRole('listitem', { name: 'Context ctx1', exact: true });
  await expect(async () => {
    await page.keyboard.press('Tab');
    await expect(lane).toBeFocused({ timeout: 300 });
  }).toPass();
  await page.keyboard.press('Enter');
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx1');
  await expect(page.getByRole('button', { name: 'Drag disk0' })).toBeFocused();
});

test('the monitor moves it too, and the command line follows', async () => {
  await page.getByRole('tab', { name: 'Monitor' }).click();
  await page
    .getByRole('textbox', { name: 'HMP command' })
    .fill('qom-set /machine/peripheral/disk0 context main');
  await page.keyboard.press('Enter');
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context main');
  // What is refused says what is possible, to scripts as well.
  const refused = await page.evaluate(() =>
    window.playground
      ?.qmp('qom-set', { path: '/machine/peripheral/disk0', property: 'context', value: 'ctx7' })
      .catch((error: unknown) => ({ ...(error as { hint?: string }), text: String(error) })),
  );
  expect(refused).toMatchObject({ class: 'GenericError', hint: expect.stringContaining('ctx0') as unknown });
  expect((refused as { text: string }).text).toContain("Did you mean 'ctx0'?");
  await page.getByRole('textbox', { name: 'HMP command' }).fill('info iothreads');
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: 'Command line' }).click();
  await expect(page.getByRole('textbox', { name: 'QEMU-style command line' })).toContainText('context=main');
});

test('editing the command line moves it without a restart, and says so beforehand', async () => {
  const editor = page.getByRole('textbox', { name: 'QEMU-style command line' });
  const text = (await editor.innerText()).replace('context=main', 'context=ctx0');
  await editor.fill(text);
  await expect(page.getByText(/^can be done while it runs/)).toBeVisible();
  await page.getByRole('button', { name: 'Apply now' }).click();
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx0');
  await expect(page.getByText('the machine that runs')).toBeVisible();
});

test('contexts are created and deleted from the board; one in use is not', async () => {
  await page.getByRole('button', { name: /^Create a context/ }).click();
  const lane = page.getByRole('listitem', { name: 'Context ctx2' });
  await expect(lane).toBeVisible();
  await lane.getByRole('button', { name: 'Actions for ctx2' }).click();
  await page.getByRole('menuitem', { name: 'Delete ctx2' }).click();
  await expect(lane).toHaveCount(0);
});

test('pause stops the guest, run resumes it', async () => {
  await page.getByRole('button', { name: 'Pause VM' }).click();
  await expect(page.getByTestId('run-state')).toHaveText('paused');
  const executed = (): Promise<number> =>
    page.evaluate(() => window.playground?.board()?.harts[0]?.instructions ?? -1);
  const before = await executed();
  await page.waitForTimeout(400);
  expect(await executed()).toBe(before);
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByTestId('run-state')).toHaveText('running');
  expect((await run(page, 'true')).status).toBe(0);
});

test('the palette finds a command by its name', async () => {
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^All commands/ }).click();
  await expect(page.getByRole('searchbox', { name: 'Find a command' })).toBeFocused();
  await page.keyboard.type('disk0 to ctx1');
  await page.keyboard.press('Enter');
  await expect(laneOf(page, 'disk0')).toHaveAccessibleName('Context ctx1');
});

test('power-off from the guest is told apart from a cut, and power on boots again', async () => {
  await page.evaluate(() => window.playground?.serial.send('poweroff\r'));
  await expect(page.getByTestId('run-state')).toHaveText('power is off', { timeout: 60_000 });
  // What the guest wrote last stays readable: nothing lies on it.
  await expect(page.getByText('No guest runs.')).toBeVisible();
  const uncovered = (screen: HTMLElement): boolean => {
    const { x, y, width, height } = screen.getBoundingClientRect();
    return screen.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  };
  expect(await page.getByTestId('terminal').evaluate(uncovered)).toBe(true);
  await page.getByRole('button', { name: 'Power on' }).first().click();
  await expect(page.getByTestId('run-state')).toHaveText('running');
  await shellPrompt(page);
  expect((await run(page, 'cat /root/kept.txt')).output).toContain('kept\r');
});

test('another guest is chosen by name: the built-in one needs no download', async () => {
  await page.getByRole('button', { name: 'Guest', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Built-in guest' }).click();
  await page.getByRole('button', { name: 'Apply and restart' }).click();
  await page.waitForFunction(() => window.playground?.serial.text.endsWith('> ') === true);
  await page.getByTestId('terminal').click();
  await page.keyboard.type('verify rand qd 8 count 512\n');
  await page.waitForFunction(
    () => (window.playground?.board()?.devices[0]?.queues[0]?.completions ?? 0) >= 1024,
  );
  expect(await page.evaluate(() => window.playground?.board()?.devices[0]?.queues[0]?.errors)).toBe(0);
});

test('the JIT is on, is switched off by its button, and both compute the same', async () => {
  const computed = async (): Promise<void> => {
    await page.waitForFunction(() => window.playground?.serial.text.endsWith('> ') === true);
    await page.getByTestId('terminal').click();
    await page.keyboard.type('cpu sieve\n');
    await page.waitForFunction(() =>
      /result op=cpu[^\n]*check=ok/.test(window.playground?.serial.text ?? ''),
    );
  };
  await computed();
  await page.getByRole('button', { name: 'JIT on' }).click();
  await expect(page.getByRole('textbox', { name: 'QEMU-style command line' })).toContainText(
    '-accel tcg,jit=off',
  );
  await page.getByRole('button', { name: 'Apply and restart' }).click();
  await expect(page.getByText('the machine that runs')).toBeVisible();
  await computed();
  await expect(page.getByRole('button', { name: 'JIT off' })).toBeVisible();
});
