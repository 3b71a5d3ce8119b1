// What stage the page is in, in words for tests and tools, and the small questions about it that need no page.
import { MATCH_ID_BYTES, retryOf } from '@tickwire/client';
import { problemSentence } from '@tickwire/ui';
import type { Situation, Stage } from './connection-story';
import type { PlayRequest } from './seats';
import type { Via } from './storage';

export type PagePhase = 'landing' | 'connecting' | 'playing' | 'lost' | 'recovering' | 'ended' | 'error';

/** After so long without what is waited for, the server is asked what is wrong. */
const UNEASY_MS = 1_000;
const MATCH_ID_DIGITS = 2 * MATCH_ID_BYTES;

/** `isTold`: something stands over the match, and says why it does not go on. */
export function phaseOf(stage: Stage | 'landing' | 'results', isTold: boolean): PagePhase {
  switch (stage) {
    case 'landing':
      return 'landing';
    case 'loading':
    case 'asking':
    case 'joining':
    case 'returning':
      return 'connecting';
    case 'playing':
      return isTold ? 'lost' : 'playing';
    case 'finding':
      return 'recovering';
    case 'results':
      return 'ended';
    case 'over':
      return 'error';
  }
}

/** Whether the server is to be asked what is wrong. */
export function isUneasy({ stage, waitedMs, reason }: Situation): boolean {
  if (stage === 'over') return retryOf(reason ?? '') === 'reload';
  const waits = stage === 'joining' || stage === 'returning' || stage === 'playing';
  return waits && waitedMs >= UNEASY_MS;
}

/** How a player who asks for this comes into the match. */
export function viaOf(request: PlayRequest): Via {
  if (request.kind === 'create') return 'create';
  // The list of open matches joins by id, a link by its code.
  return request.kind === 'join' && request.idOrCode.length < MATCH_ID_DIGITS ? 'link' : 'quick';
}

/** What a player is told of an error. */
export function sentenceOf(error: unknown): string {
  return problemSentence(error, 'The game could not be loaded. Check your connection and try again.');
}
