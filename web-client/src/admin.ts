// Entry of the admin page.
import { game, SpectatorScreen, type GameEvent, type Input } from '@tickwire/arena';
import { AdminApi, Dashboard, Moderation, takeToken, Watch } from '@tickwire/admin';
import moduleUrl from './generated/tickwire.wasm?url';
import { ApiError, loadReplica } from '@tickwire/client';
import { setHidden } from '@tickwire/ui';

const REFRESH_MS = 1_000;
const NO_TOKEN = 'Open this page with the link the server printed when it started: its address ends in #token=…';

function run(root: HTMLElement): void {
  let watching: Watch<Input, GameEvent> | null = null;
  let token = takeToken();
  const moderation = new Moderation(() => (token === null ? null : new AdminApi(token)));
  const dashboard = new Dashboard(
    {
      watch: (matchId, title) => void watch(matchId, title),
      showPeople: (match) => {
        moderation.show(match);
      },
    },
    moderation.element,
  );
  root.replaceChildren(dashboard.element);

  async function refresh(): Promise<void> {
    if (token === null) {
      dashboard.showProblem(NO_TOKEN);
      return;
    }
    if (document.hidden) return;
    try {
      const report = await new AdminApi(token).report();
      dashboard.show(report, performance.now());
      await moderation.refresh();
    } catch (error) {
      const refused = error instanceof ApiError && (error.status === 401 || error.status === 403);
      dashboard.showProblem(
        refused ? `The server refused the token. ${NO_TOKEN}` : 'The server does not answer. Trying again…',
      );
    }
  }

  function stopWatching(): void {
    watching?.stop();
    watching = null;
    setHidden(dashboard.element, false);
  }

  async function watch(matchId: string, title: string): Promise<void> {
    if (token === null) return;
    stopWatching();
    const api = new AdminApi(token);
    try {
      const opened = new Watch<Input, GameEvent>({
        game,
        createView: (stage, replica, options) => SpectatorScreen.create(stage, replica, options),
        replica: await loadReplica(moduleUrl, game.body),
        openSocket: () => api.spectate(matchId),
        title,
        onClose: stopWatching,
      });
      watching = opened;
      setHidden(dashboard.element, true);
      root.append(opened.element);
      await opened.start();
    } catch {
      stopWatching();
      dashboard.showProblem('The match cannot be shown: the game module did not load.');
    }
  }

  // Another link in the same tab changes only the hash.
  window.addEventListener('hashchange', () => {
    token = takeToken();
    void refresh();
  });
  document.addEventListener('visibilitychange', () => void refresh());
  // On a clock of its own: while a request hangs, the figures grow old.
  setInterval(() => {
    dashboard.showAge(performance.now());
  }, REFRESH_MS);
  const loop = async (): Promise<void> => {
    await refresh();
    setTimeout(() => void loop(), REFRESH_MS);
  };
  void loop();
}

const root = document.getElementById('app');
if (root) run(root);
