import { join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';

/**
 * The page in few files. Its entry (a few lines that start a machine's threads) imports the page as a whole, and
 * all that imports statically goes into one chunk: some forty small ones cost a request each, one after the other in the
 * browser's main process, while nothing else can be done.
 *
 * @param entry the module of the first lines; what it imports itself stays beside it
 * @param page the module it imports the page with
 */
export function pageInOneChunk(entry: string, page: string) {
  let members: ReadonlySet<string> | undefined;
  const group: Rolldown.CodeSplittingGroup = {
    debugName: 'page-parts',
    name: (id, context) => {
      const importsOf = (module: string) => context.getModuleInfo(module)?.importedIds ?? [];
      members ??= membersOf(entry, page, importsOf);
      return members.has(id) ? 'page-parts' : null;
    },
  };
  return { includeDependenciesRecursively: false, groups: [group] } satisfies Rolldown.CodeSplittingOptions;
}

function membersOf(
  entry: string,
  page: string,
  importsOf: (module: string) => readonly string[],
): ReadonlySet<string> {
  const reached = (module: string, all = new Set<string>()): Set<string> => {
    if (all.has(module)) return all;
    all.add(module);
    for (const imported of importsOf(module)) reached(imported, all);
    return all;
  };
  const first = reached(entry);
  return new Set([...reached(page)].filter((module) => module !== page && !first.has(module)));
}

/** The page's chunks and styles are named in the document, so that they come with its entry and not after it. */
export function pageInDocument(root: string, document: string, page: string): Plugin {
  return {
    name: 'page-in-document',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { bundle = {}, filename }) => {
        if (filename !== join(root, document)) return;
        const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
        const scripts = new Set<string>();
        const styles = new Set<string>();
        const visit = (chunk: Rolldown.OutputChunk | undefined): void => {
          if (chunk === undefined || scripts.has(chunk.fileName)) return;
          scripts.add(chunk.fileName);
          for (const style of chunk.viteMetadata?.importedCss ?? []) styles.add(style);
          for (const imported of chunk.imports) visit(chunks.find(({ fileName }) => fileName === imported));
        };
        visit(chunks.find(({ facadeModuleId }) => facadeModuleId === page));
        if (scripts.size === 0) throw new Error(`${page} is in no chunk of its own`);
        return [
          ...[...scripts].map((file) => ({ rel: 'modulepreload', file })),
          ...[...styles].map((file) => ({ rel: 'stylesheet', file })),
        ]
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
