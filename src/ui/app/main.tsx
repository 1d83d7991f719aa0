import { defaultCommandLine, guestFilesPreparer } from '../model/images/guest-files.ts';
import { ImageStore } from '../model/images/image-store.ts';
import { fetchManifest } from '../model/images/manifest.ts';
import { makeVmInPage } from '../model/engine.ts';
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
  makeVm: makeVmInPage,
  prepare: guestFilesPreparer(store, () => manifest, base),
  // The default is not remembered: a later version of the page may have a better one.
  remember: (commandLine) =>
    saveSettings({ commandLine: commandLine === standard ? undefined : commandLine }),
});
installPlaygroundApi(playground);

const problem = await environmentProblem();
if (problem === undefined) void playground.controller.powerOn();
else playground.controller.showProblem(problem);
