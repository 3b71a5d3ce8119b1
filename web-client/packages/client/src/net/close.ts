// Why a connection ended, what the page does about it, and how it is told to the player. Mirrors the protocol's close
// reasons; the ones the page finds out itself are marked.

/** What to do next: resume the seat, ask for a new seat, reload the page, or nothing. */
export type Retry = 'resume' | 'rejoin' | 'reload' | 'none';

export interface CloseKind {
  readonly retry: Retry;
  readonly sentence: string;
}

const KINDS: Readonly<Record<string, CloseKind>> = {
  left: { retry: 'none', sentence: 'You left the match.' },
  match_over: { retry: 'none', sentence: 'The match is over.' },
  draining: { retry: 'rejoin', sentence: 'The server is restarting.' },
  replaced: { retry: 'none', sentence: 'This seat is now played in another tab or window.' },
  silent: { retry: 'resume', sentence: 'The server did not hear from this page for too long.' },
  too_slow: { retry: 'resume', sentence: 'Your connection could not keep up.' },
  rate_limited: { retry: 'resume', sentence: 'This page sent too much at once, so the server paused it.' },
  malformed: { retry: 'none', sentence: 'The server did not understand this page. Reload it and try again.' },
  wrong_protocol: { retry: 'reload', sentence: 'There is a newer version of the game. Reload the page to play it.' },
  wrong_schema: { retry: 'reload', sentence: 'There is a newer version of the game. Reload the page to play it.' },
  hello_timeout: { retry: 'rejoin', sentence: 'The connection was too slow to join.' },
  bad_ticket: { retry: 'rejoin', sentence: 'Your seat was not kept long enough.' },
  bad_resume: { retry: 'rejoin', sentence: 'Your seat was given up while you were away.' },
  match_gone: { retry: 'rejoin', sentence: 'That match has ended.' },
  full: { retry: 'none', sentence: 'No more spectators can watch this match.' },
  busy: { retry: 'resume', sentence: 'Too many are coming into the match at once.' },
  sign_in_expired: { retry: 'resume', sentence: 'Your sign-in has expired.' },
  kicked: { retry: 'none', sentence: 'The people who run this server took you out of the match.' },
  banned: { retry: 'none', sentence: 'The people who run this server do not let you play here.' },
  overloaded: { retry: 'resume', sentence: 'The server ran short of memory.' },
  restarting: { retry: 'resume', sentence: 'The server restarts; your match goes on in a moment.' },
  moved: { retry: 'resume', sentence: 'Your match goes on on another server.' },
  lost: { retry: 'rejoin', sentence: 'The server restarted and could not bring your match back.' },
  internal_error: { retry: 'rejoin', sentence: 'The match failed on the server. That is our fault.' },
  // Found out by the page: the server's bytes make no sense to it, which a newer page may cure.
  unreadable: { retry: 'reload', sentence: 'This page does not understand the server. Reload it and try again.' },
};

/** What a reason means; an unknown one, from a newer server, is treated like a lost seat. */
export function closeKind(reason: string): CloseKind {
  return KINDS[reason] ?? { retry: 'rejoin', sentence: 'The server closed the connection.' };
}
