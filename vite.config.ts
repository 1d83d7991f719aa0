import { createReadStream, existsSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { type Connect, defineConfig, type Plugin } from 'vite';
import { pageInDocument, pageInOneChunk } from './vite.page-chunk.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const guestDir = join(root, 'build/guest');

/** Shared memory needs a cross-origin isolated page: both headers, on its document and its workers. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The page that talks to another origin's window: with the headers it would be cut off from it. */
const UNISOLATED = /^\/bridge\.html$/;

/** Sends the headers with every answer but that page, in dev and preview. */
function isolated(): Plugin {
  const add: Connect.NextHandleFunction = (req, res, next) => {
    if (!UNISOLATED.test(new URL(req.url ?? '/', 'http://page').pathname))
      for (const [name, value] of Object.entries(isolation)) res.setHeader(name, value);
    next();
  };
  return {
    name: 'isolated',
    configureServer: (server) => void server.middlewares.use(add),
    configurePreviewServer: (server) => void server.middlewares.use(add),
  };
}

/** Serves the assembled guest images under /guest/ (dev and preview), with lengths so that progress is in bytes. */
function guestImages(): Plugin {
  const serve: Connect.NextHandleFunction = (req, res, next) => {
    const url = new URL(req.url ?? '/', 'http://guest');
    if (!url.pathname.startsWith('/guest/')) return next();
    const path = normalize(join(guestDir, decodeURIComponent(url.pathname.slice('/guest/'.length))));
    if (!path.startsWith(guestDir) || !existsSync(path) || !statSync(path).isFile()) {
      res.statusCode = 404;
      res.end('no such guest image; run `npm run guest`\n');
      return;
    }
    const { size, mtimeMs } = statSync(path);
    const etag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
    res.setHeader('ETag', etag);
    res.setHeader('Cache-Control', 'no-cache');
    if (req.headers['if-none-match'] === etag) {
      res.statusCode = 304;
      res.end();
      return;
    }
    res.setHeader('Content-Type', path.endsWith('.json') ? 'application/json' : 'application/octet-stream');
    res.setHeader('Content-Length', String(size));
    if (req.method === 'HEAD') res.end();
    else createReadStream(path).pipe(res);
  };
  return {
    name: 'guest-images',
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => void server.middlewares.use(serve),
  };
}

/** The first lines of the page, and the page. */
const ENTRY = join(root, 'src/ui/app/main.ts');
const PAGE = join(root, 'src/ui/app/page.tsx');

export default defineConfig({
  base: './',
  plugins: [react(), isolated(), guestImages(), pageInDocument(root, 'index.html', PAGE)],
  server: { port: 5173 },
  preview: { port: 4173 },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    sourcemap: true,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      input: [join(root, 'index.html'), join(root, 'bridge.html')],
      output: { codeSplitting: pageInOneChunk(ENTRY, PAGE) },
    },
  },
});
