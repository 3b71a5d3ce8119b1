// How long nothing came, as far as this page could have heard of it.

const STEP_MS = 250;

/**
 * Calls `act` once, after `ms` in which the page was there to hear something: while it is busy, as when it builds its
 * first picture, what has come waits as well. Returns what calls it off.
 */
export function whenSilent(ms: number, act: () => void): () => void {
  let steps = Math.ceil(ms / STEP_MS);
  const timer = setInterval(() => {
    steps -= 1;
    if (steps > 0) return;
    clearInterval(timer);
    act();
  }, STEP_MS);
  return () => {
    clearInterval(timer);
  };
}
