// Why a connection ended, and what the client does about it.
import { CLOSE_REASONS, type CloseReason, type Retry } from '../replica/generated';

/** The client ends a connection itself whose bytes make no sense to it: a newer page may understand them. */
export const UNREADABLE = 'unreadable';

/** Every reason that this build knows. */
export type EndReason = CloseReason | typeof UNREADABLE;

/** What helps. For a reason that a newer server gives, a new seat. */
export function retryOf(reason: string): Retry {
  if (reason === UNREADABLE) return 'reload';
  return isCloseReason(reason) ? CLOSE_REASONS[reason] : 'rejoin';
}

function isCloseReason(reason: string): reason is CloseReason {
  return Object.hasOwn(CLOSE_REASONS, reason);
}
