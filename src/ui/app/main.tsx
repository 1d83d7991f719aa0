import { defaultCommandLine, guestFilesPreparer, withDefaultGuest } from '../model/images/guest-files.ts';
import { ImagesModel } from '../model/images/images-model.ts';
import { ImageStore } from '../model/images/image-store.ts';
import { fetchManifest } from '../model/images/manifest.ts';
import { environmentProblem } from '../model/problem.ts';
import { loadSettings, saveSettings } from '../model/settings.ts';
import { mount } from './mount.tsx';
import { installPlaygroundApi } from './playground-api.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

const base = new URL(document.baseURI);
const store = new ImageStore();
const manifest = fetchManifest(base);
const offered = await manifest;
const standard = defaultCommandLine(offered.ok ? offered.manifest : undefined);

const playground = mount(root, {
  commandLine: loadSettings().commandLine ?? standard,
  defaultCommandLine: standard,
  images: new ImagesModel(store, offered.ok ? offered.manifest : undefined, base),
  complete: (argv) => withDefaultGuest(argv, offered.ok ? offered.manifest : undefined),
  // The engine is not part of the first paint: it loads while the images are being fetched.
  makeVm: async (argv) => (await import('../../engine/workers/browser-supervisor.ts')).createVmInPage(argv),
  prepare: guestFilesPreparer(store, () => manifest, base),
  // The default is not remembered: a later version of the page may have a better one.
  remember: (commandLine) =>
    saveSettings({ commandLine: commandLine === standard ? undefined : commandLine }),
});
installPlaygroundApi(playground);

const problem = await environmentProblem();
if (problem === undefined) void playground.controller.powerOn();
else playground.controller.showProblem(problem);
