// Entry of the player's page: brings the first page to life. What a match needs comes later.
import { installDebugSurface } from './debug';
import moduleUrl from './generated/tickwire.wasm?url';
import { loadReplica } from '@tickwire/client';
import { App } from './ui/app';
import { BODY } from './ui/game';
import { Loader } from './ui/loader';

const root = document.getElementById('app');
const landing = document.getElementById('landing');
if (root && landing) {
  const loader = new Loader({ match: () => import('./match'), replica: () => loadReplica(moduleUrl, BODY) });
  const app = new App(root, landing, loader);
  installDebugSurface(app);
  app.start();
}
