// How a request that failed is told to people.
import { ApiError } from '@tickwire/client';

/** One sentence; `other` if it is no request that failed. */
export function problemSentence(error: unknown, other: string): string {
  return error instanceof ApiError ? apiSentence(error) : other;
}

/** The server's own sentence is used only for a code that this page does not know. */
function apiSentence({ code, status, detail, retryAfterS }: ApiError): string {
  switch (code) {
    case 'session_required':
      return 'Your session ended. Press Play to start a new one.';
    case 'sign_in_required':
      return 'Sign in to play.';
    case 'session_expired':
    case 'sign_in_refused':
      return 'Your sign-in is not valid any more. Sign in again to play.';
    case 'match_not_found':
      return 'There is no match with that code. It may have ended.';
    case 'match_lost':
      return 'The server restarted and could not bring that match back. Try another one.';
    case 'match_full':
      return 'That match is full. Try another one.';
    case 'rate_limited':
      return retryAfterS === null
        ? 'That was too many tries. Wait a moment, then try again.'
        : `That was too many tries. Try again in ${retryAfterS} s.`;
    case 'draining':
      return 'The server is about to restart. Try again in a minute.';
    case 'origin_not_allowed':
      return 'This site is set up wrong: the game server does not take players from it. Only its operator can mend that.';
    case 'at_capacity':
      return 'The server is full right now. Try again in a minute.';
    case 'unreachable':
      return 'The server cannot be reached. Check your connection and try again.';
    case 'timeout':
      return 'The server took too long to answer. Try again.';
    default:
      if (detail !== '') return detail;
      return status >= 500 ? 'The server had a problem. Try again.' : 'The server refused that.';
  }
}
