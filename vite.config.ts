import { createReadStream, existsSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { type Connect, defineConfig, type Plugin } from 'vite';

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

/** What the entry imports when it has started the machine's threads: the page, with all it imports statically. */
const PAGE = 'src/ui/app/page.tsx';

/** The page's script and styles are named in the document, so that they come with the entry and not after it. */
function preloadedPage(): Plugin {
  return {
    name: 'preloaded-page',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { bundle = {}, filename }) => {
        if (filename !== join(root, 'index.html')) return;
        const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
        const files = new Set<string>();
        const styles = new Set<string>();
        const visit = (chunk: (typeof chunks)[number] | undefined): void => {
          if (chunk === undefined || files.has(chunk.fileName)) return;
          files.add(chunk.fileName);
          for (const style of chunk.viteMetadata?.importedCss ?? []) styles.add(style);
          for (const imported of chunk.imports) visit(chunks.find(({ fileName }) => fileName === imported));
        };
        visit(chunks.find(({ facadeModuleId }) => facadeModuleId === join(root, PAGE)));
        if (files.size === 0) throw new Error(`${PAGE} is in no chunk of its own`);
        const links = [
          ...[...files].map((file) => ({ rel: 'modulepreload', file })),
          ...[...styles].map((file) => ({ rel: 'stylesheet', file })),
        ];
        return links
          .filter(({ file }) => !html.includes(file))
          .map(({ rel, file }) => ({
            tag: 'link',
            attrs: { rel, crossorigin: true, href: `./${file}` },
            injectTo: 'head' as const,
          }));
      },
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [react(), isolated(), guestImages(), preloadedPage()],
  server: { port: 5173 },
  preview: { port: 4173 },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    sourcemap: true,
    chunkSizeWarningLimit: 900,
    rolldownOptions: { input: [join(root, 'index.html'), join(root, 'bridge.html')] },
  },
});
