import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { run, shellPrompt } from './guest.ts';

/** Serves what the preview server serves, but without the isolation headers. */
async function serveWithoutHeaders(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    void fetch(new URL(request.url ?? '/', `http://localhost:${process.env['E2E_PORT']}/`), {
      headers: { 'accept-encoding': 'identity' },
    }).then(async (answer) => {
      const type = answer.headers.get('content-type') ?? 'application/octet-stream';
      response.writeHead(answer.status, { 'content-type': type });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test.describe('wrong inputs end in one clear message with a way out', () => {
  test('a page without isolation headers, and the service worker that adds them', async ({
    page,
    context,
  }) => {
    // A bare static server: the same files, no headers.
    const bare = await serveWithoutHeaders();
    try {
      await page.goto(bare.url);
      const alert = page.getByRole('alert');
      await expect(alert).toContainText('not cross-origin isolated');
      await expect(alert.getByRole('button', { name: 'Reload the page' })).toBeInViewport({ ratio: 1 });
      await expect(page.getByRole('heading', { name: 'Contexts' })).toBeVisible();
      await alert.getByRole('button', { name: 'Add them here' }).click();
      await shellPrompt(page);
    } finally {
      await context.close();
      await bare.close();
    }
  });

  test('a browser without private files', async ({ page }) => {
    await page.addInitScript(() => {
      Object.defineProperty(StorageManager.prototype, 'getDirectory', {
        value: () => Promise.reject(new DOMException('denied', 'SecurityError')),
      });
    });
    await page.goto('/');
    await expect(page.getByRole('alert')).toContainText('no private file storage');
  });

  test('storage that is full', async ({ page, context }) => {
    const session = await context.newCDPSession(page);
    const origin = `http://localhost:${process.env['E2E_PORT']}/`;
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 8e6 });
    await page.goto('/');
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('No room for');
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await alert.getByRole('button', { name: 'Try again' }).click();
    await shellPrompt(page);
  });

  test('an option that is wrong is shown in its place, and the default machine is one press away', async ({
    page,
  }) => {
    await page.addInitScript(() =>
      localStorage.setItem(
        'qcontext-playground',
        JSON.stringify({ commandLine: '-object glib-qcontext,id=ctx0,threadd=yes' }),
      ),
    );
    await page.goto('/');
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('threadd');
    await expect(alert.locator('mark')).toBeVisible();
    await expect(alert.getByRole('button').last()).toBeInViewport({ ratio: 1 });
    await alert.getByRole('button', { name: 'Use the default machine' }).click();
    await shellPrompt(page);
  });

  test('a list of what is possible can be read without a pointer, and what is typed stays in sight', async ({
    page,
  }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto('/');
    await shellPrompt(page);
    await page.getByRole('tab', { name: 'More', exact: true }).click();
    await page.getByRole('tab', { name: 'Command line', exact: true }).click();
    await page.getByRole('textbox', { name: 'QEMU-style command line' }).click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' -device virtio-blk,drive=drive0,bogus=1');
    await expect(page.getByText(/^Possible: .*iothread-vq-mapping/)).toBeInViewport();
    await expect(page.locator('.cm-line').last()).toBeInViewport();
    await expect(page.locator('.cm-cursor-primary')).toBeInViewport();
  });

  test('a long message keeps its ways out in sight, on a small screen too', async ({ page }) => {
    const files = Array.from({ length: 80 }, (_, i) => `note-${i}.txt`).join('-');
    await page.addInitScript(
      (commandLine) => localStorage.setItem('qcontext-playground', JSON.stringify({ commandLine })),
      `-object glib-qcontext,id=ctx0,threadd=${files}`,
    );
    for (const [width, height] of [
      [1440, 900],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.goto('/');
      const alert = page.getByRole('alert');
      await expect(alert).toContainText('threadd');
      for (const button of await alert.getByRole('button').all())
        await expect(button, `${width} px wide`).toBeInViewport({ ratio: 1 });
    }
  });

  test('a kernel that is not one, and a disk of odd size', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('tab', { name: 'Images' }).click();
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await (await chooser).setFiles([
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no kernel, '.repeat(500)) },
      { name: 'odd.img', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1000) },
    ]);
    await expect(page.getByRole('alert')).toContainText('not a whole number of sectors');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.evaluate(() => window.playground?.start('-m 64\n-kernel notes.txt'));
    await expect(page.getByRole('alert')).toContainText('notes.txt');
    await expect(page.getByRole('alert').getByRole('button').first()).toBeVisible();
  });

  test('a disk another tab has open: a second tab says so, the first lives on', async ({ page, context }) => {
    await page.goto('/');
    await shellPrompt(page);
    const second = await context.newPage();
    await second.goto('/');
    await expect(second.getByRole('alert')).toContainText(/another tab|in use/, { timeout: 30_000 });
    await expect(second.getByRole('alert').getByRole('button', { name: 'Try again' })).toBeVisible();
    expect((await run(page, 'true')).status).toBe(0);
    await page.close();
    await second.getByRole('button', { name: 'Try again' }).click();
    await shellPrompt(second);
  });

  test('a guest panic is named, and the power comes back', async ({ page }) => {
    await page.goto('/');
    await shellPrompt(page);
    await page.evaluate(() => window.playground?.serial.send('echo c > /proc/sysrq-trigger\r'));
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('panicked', { timeout: 60_000 });
    await alert.getByRole('button', { name: 'Power on again' }).click();
    await shellPrompt(page);
  });

  test('a link that is damaged, and one of a newer version', async ({ page }) => {
    await page.goto('/#v1.q1YqU7IyNNRRSs7PzU3MS');
    await expect(page.getByRole('alert')).toContainText('damaged');
    await page.goto('about:blank');
    await page.goto('/#v9.abc');
    await expect(page.getByRole('alert')).toContainText('newer version');
    await expect(page.getByRole('alert').getByRole('button').last()).toBeInViewport({ ratio: 1 });
    await page.getByRole('button', { name: 'Use the default machine' }).click();
    await shellPrompt(page);
  });
});
