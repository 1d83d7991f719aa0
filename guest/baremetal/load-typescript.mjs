import { readFileSync } from 'node:fs';
import { rolldown } from 'rolldown';

/** `?raw` imports as in Vite: the file's text as the default export. */
export const rawText = {
  name: 'raw-text',
  load(id) {
    if (!id.endsWith('?raw')) return null;
    return {
      code: `export default ${JSON.stringify(readFileSync(id.slice(0, -4), 'utf8'))};`,
      moduleType: 'js',
    };
  },
};

/** Bundles a TypeScript module in memory and imports it: Node 20 does not run TypeScript itself. */
export async function loadTypeScript(entry) {
  const bundle = await rolldown({ input: entry, platform: 'node', plugins: [rawText] });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`);
}
