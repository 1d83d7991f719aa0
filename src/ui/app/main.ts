import { preloadThreads } from '../../engine/workers/spare-threads.ts';
import { mayGoOn } from '../model/warm-start/warm-key.ts';

/** A few lines that need nothing else, so that they run while the script of the page is still on its way. */

// A visit that goes on has a machine and a terminal to show before anybody can look: their code comes along, and
// the machine's threads compile theirs meanwhile.
if (mayGoOn()) {
  preloadThreads();
  void import('../../engine/workers/browser-supervisor.ts');
  void import('../views/terminal/terminal-session.ts');
}
void import('./page.tsx');
