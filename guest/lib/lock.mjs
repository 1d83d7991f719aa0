// @ts-check
/**
 * One build at a time: `npm start` and `npm test` may both want the images. The lock is an abstract Unix socket
 * (unix(7)), which the kernel takes away with the process that holds it; no stale lock can be left behind.
 */
import { createHash } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param {string} address
 * @returns {Promise<net.Server | undefined>} undefined when someone else holds it
 */
function hold(address) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}

/**
 * Runs `body` while no other process of this machine does for the same directory.
 *
 * @template T
 * @param {string} dir
 * @param {(line: string) => void} say
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withLock(dir, say, body) {
  // Abstract sockets are Linux's. Where there are none there is no apt either, and nothing to keep apart.
  if (process.platform !== 'linux') return body();
  const address = `\0guest-build-${createHash('sha256').update(dir).digest('hex').slice(0, 32)}`;
  let server = await hold(address);
  if (server === undefined) say('waiting for another build');
  while (server === undefined) {
    await sleep(100);
    server = await hold(address);
  }
  try {
    return await body();
  } finally {
    server.close();
  }
}
