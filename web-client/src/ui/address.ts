// The page's address, which is the link to the match that the player is in, if there is one; and the server's.

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

/**
 * Where the server's `api/` and `ws` are found: beside the page, below whatever path a proxy gives it. A page that is
 * hosted elsewhere is built with `VITE_TICKWIRE_SERVER`, the server's address; it ends with a slash.
 */
export function serverBase(): string {
  const elsewhere = import.meta.env['VITE_TICKWIRE_SERVER'] as string | undefined;
  return elsewhere ?? document.baseURI;
}
