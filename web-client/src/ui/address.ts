// The page's address: while the player is in a match that a link leads to, it is that link.

const JOIN = 'join';

/** The code in the address; null without one. */
export function joinCode(): string | null {
  const code = new URLSearchParams(window.location.search).get(JOIN)?.trim() ?? '';
  return code === '' ? null : code;
}

/** Shows the link to the match with this code, or none. The history gets no entry: going back leaves the page. */
export function showJoinCode(code: string | null): void {
  const address = addressWith(window.location.href, code);
  if (address === window.location.href) return;
  try {
    window.history.replaceState(null, '', address);
  } catch {
    // Some frames may not change their address. Then it says less, and nothing else is lost.
  }
}

/** `page` with the code of a match in it, or without one. */
export function addressWith(page: string, code: string | null): string {
  const url = new URL(page);
  if (code === null) url.searchParams.delete(JOIN);
  else url.searchParams.set(JOIN, code);
  return url.href;
}
