// Entry of the player's page: brings the first page to life. What a match needs comes later.
import { installDebugSurface } from './debug';
import moduleUrl from './generated/tickwire.wasm?url';
import { loadReplica } from '@tickwire/client';
import { App } from './ui/app';
import { Loader } from './ui/loader';

const root = document.getElementById('app');
const landing = document.getElementById('landing');
if (root && landing) {
  const loader = new Loader({ arena: () => import('./match'), replica: () => loadReplica(moduleUrl, 'fighter') });
  const app = new App(root, landing, loader);
  installDebugSurface(app);
  app.start();
}
