import '../src/ui/app/playground-api.ts';
import { expect, test } from './fixtures.ts';
import { run, shellPrompt } from './guest.ts';

const MACHINE =
  '-object glib-qcontext,id=ctx0,threaded=yes -drive file=rootfs.ext4,if=none,id=drive0,format=raw -device virtio-blk,id=disk0,drive=drive0,context=ctx0';

test('a snapshot on the disk of this site starts the machine where it was, until the disk is written to', async ({
  page,
}) => {
  await page.goto('/');
  // The first visit fetches the images; what follows names them itself.
  await shellPrompt(page);
  const start = (more: string): Promise<string> =>
    page.evaluate(async (line) => {
      const { playground } = window;
      await playground?.start(line);
      return playground?.board()?.runState ?? 'refused';
    }, `${MACHINE} ${more}`);
  const hmp = (line: string): Promise<string | undefined> =>
    page.evaluate((text) => window.playground?.hmp(text), line);
  const stop = (): Promise<void> | undefined => page.evaluate(() => window.playground?.stop());

  await stop();
  expect(await start('')).toBe('running');
  await page.evaluate(() => window.playground?.serial.expect(/# $/, 120_000));
  expect((await run(page, 'echo kept > /tmp/note')).status).toBe(0);
  await hmp('stop');
  expect(await hmp('savevm here')).toBe('');
  expect(await hmp('info snapshots')).toMatch(/here +\d+ \d{4}-/);
  await stop();

  expect(await start('-loadvm here')).toBe('running');
  // A shell that is asked for nothing says nothing.
  await page.evaluate(async () => {
    window.playground?.serial.send('\n');
    await window.playground?.serial.expect(/# $/);
  });
  expect((await run(page, 'cat /tmp/note')).output).toContain('kept');
  expect((await run(page, 'echo new > /root/since; sync')).status).toBe(0);
  expect(await hmp('loadvm here')).toContain('was written to since');
  await stop();

  expect(await start('-loadvm here')).toBe('refused');
  await expect(page.getByText(/was written to since the snapshot was made/).first()).toBeVisible();
});
