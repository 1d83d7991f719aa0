import { defaultCommandLine, guestFilesPreparer, withDefaultGuest } from '../model/images/guest-files.ts';
import { ImagesModel } from '../model/images/images-model.ts';
import { ImageStore } from '../model/images/image-store.ts';
import { fetchManifest } from '../model/images/manifest.ts';
import { INSPECTOR } from '../model/commands.ts';
import { layout, PRESETS, type Preset } from '../model/layout.ts';
import { decodeShared, type Shared } from '../model/share.ts';
import { environmentProblem, type Problem } from '../model/problem.ts';
import { loadSettings, saveSettings } from '../model/settings.ts';
import { neededFiles } from '../model/images/needed-files.ts';
import { loadWarmRecord, type RecordStorage } from '../model/warm-start/warm-record.ts';
import { WarmStart } from '../model/warm-start/warm-start.ts';
import { createPlayground, show } from './mount.tsx';
import { installPlaygroundApi } from './playground-api.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

const kept = localStorageOrNone();
const base = new URL(document.baseURI);
const store = new ImageStore();
const manifest = fetchManifest(base);
const offered = await manifest;
const standard = defaultCommandLine(offered.ok ? offered.manifest : undefined);

const link = await decodeShared(location.hash);
if (link.kind === 'shared') showShared(link.shared);

let threadStarted: () => void = () => {};
const options = {
  commandLine: link.kind === 'shared' ? link.shared.commandLine : (loadSettings().commandLine ?? standard),
  defaultCommandLine: standard,
  images: new ImagesModel(store, offered.ok ? offered.manifest : undefined, base),
  complete: (argv) => withDefaultGuest(argv, offered.ok ? offered.manifest : undefined),
  // The engine is not part of the first paint: it loads while the images are being fetched.
  makeVm: async (argv) =>
    (await import('../../engine/workers/browser-supervisor.ts')).createVmInPage(argv, () => threadStarted()),
  prepare: guestFilesPreparer(store, () => manifest, base),
  warm: new WarmStart({
    storage: kept,
    fileState: async (name) => {
      const file = await store.file(name);
      return file && `${file.size} ${file.lastModified}`;
    },
    room: async () => {
      const { quota, usage } = await navigator.storage.estimate();
      return quota === undefined ? undefined : quota - (usage ?? 0);
    },
    bootFiles: (argv) =>
      neededFiles(argv)
        .filter(({ use }) => use !== 'disk')
        .map(({ name }) => name),
    enabled: () => loadSettings().warmStart,
    now: () => Date.now(),
  }),
  // The default is not remembered: a later version of the page may have a better one.
  remember: (commandLine) =>
    saveSettings({ commandLine: commandLine === standard ? undefined : commandLine }),
} satisfies Parameters<typeof createPlayground>[0];
const playground = createPlayground(options);
installPlaygroundApi(playground);
if (link.kind === 'shared' && link.shared.scenario !== undefined)
  playground.guide.resume(link.shared.scenario, link.shared.step);

const { controller } = playground;
const problem = await environmentProblem();
if (problem !== undefined) controller.showProblem(problem);
else if (link.kind === 'damaged' || link.kind === 'newer') controller.showProblem(linkProblem(link.kind));
else {
  const on = controller.powerOn({ resume: true });
  // A machine that goes on reads its snapshot while the page is built around it. There may be something to be
  // shown before its threads are there: downloads, or a problem.
  if (loadWarmRecord(kept) !== undefined)
    await Promise.race([
      on,
      new Promise<void>((resolve) => {
        // The main context asks this thread for each context's worker, and reads the snapshot when all are there.
        let missing = usualThreads(controller.store.getState().commandLine);
        threadStarted = () => {
          if (--missing === 0) resolve();
        };
        controller.store.subscribe(({ phase }) => {
          if (phase.kind === 'preparing' && phase.steps.length > 0) resolve();
        });
      }),
    ]);
}
show(root, playground, options);

// A link pasted over the address of an open page is a wish for that configuration.
addEventListener('hashchange', () => location.reload());

/** Main context, one hart and the contexts of a command line. With more harts the page shows sooner, that is all. */
function usualThreads(commandLine: string): number {
  return (
    2 + (commandLine.match(/-object\s+(?:glib-qcontext|iothread),(?!\S*threaded=(?:no|off))/g)?.length ?? 0)
  );
}

/** Reading `localStorage` throws where the user has blocked it. */
function localStorageOrNone(): RecordStorage {
  const blocked = (): never => {
    throw new Error('storage is blocked');
  };
  try {
    return localStorage;
  } catch {
    return { getItem: blocked, setItem: blocked, removeItem: () => {} };
  }
}

/** The arrangement a link asks for, as far as this version knows it. */
function showShared({ preset, inspector, tools, splits }: Shared): void {
  if (splits !== undefined) layout.setState({ splits });
  if (preset !== undefined && preset in PRESETS) layout.setState({ preset: preset as Preset });
  if (inspector !== undefined && inspector in INSPECTOR) layout.setState({ inspector });
  if (tools !== undefined && ['command-line', 'monitor', 'images'].includes(tools))
    layout.setState({ tools });
}

function linkProblem(kind: 'damaged' | 'newer'): Problem {
  return {
    title: kind === 'newer' ? 'This link is from a newer version' : 'This link is damaged',
    detail:
      kind === 'newer'
        ? 'It was made by a later version of the playground, and this one can’t read it.'
        : 'Part of it is missing or changed, so the configuration it carried is lost. Links are easily cut when they are sent.',
    hint:
      kind === 'newer'
        ? 'Reload to get the latest version, or start the default machine here.'
        : 'Ask for it again, or start the default machine.',
    ways: kind === 'newer' ? ['reload', 'default-command-line'] : ['default-command-line'],
  };
}
