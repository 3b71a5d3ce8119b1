// How the end of a connection is told to the player.
import type { EndReason } from '@tickwire/client';

const SENTENCES: Readonly<Record<EndReason, string>> = {
  left: 'You left the match.',
  match_over: 'The match is over.',
  draining: 'The server is restarting.',
  replaced: 'This seat is now played in another tab or window.',
  silent: 'The server did not hear from this page for too long.',
  too_slow: 'Your connection could not keep up.',
  rate_limited: 'This page sent too much at once, so the server paused it.',
  malformed: 'The server did not understand this page. Reload it and try again.',
  wrong_protocol: 'There is a newer version of the game. Reload the page to play it.',
  wrong_schema: 'There is a newer version of the game. Reload the page to play it.',
  hello_timeout: 'The connection was too slow to join.',
  bad_ticket: 'Your seat was not kept long enough.',
  bad_resume: 'Your seat was given up while you were away.',
  match_gone: 'That match has ended.',
  full: 'No more spectators can watch this match.',
  busy: 'Too many are coming into the match at once.',
  sign_in_expired: 'Your sign-in has expired.',
  kicked: 'The people who run this server took you out of the match.',
  banned: 'The people who run this server do not let you play here.',
  overloaded: 'The server ran short of memory.',
  restarting: 'The server restarts; your match goes on in a moment.',
  moved: 'Your match goes on on another server.',
  lost: 'The server restarted and could not bring your match back.',
  internal_error: 'The match failed on the server. That is our fault.',
  unreadable: 'This page does not understand the server. Reload it and try again.',
};

/** One sentence for the player; a reason that only a newer server knows has a plain one. */
export function closeSentence(reason: string): string {
  return Object.hasOwn(SENTENCES, reason) ? SENTENCES[reason as EndReason] : 'The server closed the connection.';
}
