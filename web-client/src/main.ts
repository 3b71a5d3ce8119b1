// Entry of the player's page.
import { installDebugSurface } from './debug';
import moduleUrl from './generated/tickwire.wasm?url';
import { loadReplica } from './net/wasm';
import { App } from './ui/app';

const root = document.getElementById('app');
if (root) {
  const app = new App(root, () => loadReplica(moduleUrl, 'fighter'));
  installDebugSurface(app);
  app.start();
}
