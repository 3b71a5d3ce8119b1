// What the player is told while there is no match to see: one state, one sentence. Nothing here reads a clock or changes
// anything, so every state is a row of a test.
//
// Invariants: a cause is named only when it is known; nobody is told of a lost connection who never had one; a seat is
// promised only while the server may still keep it.
import { retryOf, type Path, type Trouble } from '@tickwire/client';
import { closeSentence, formatClock, formatSpan } from '@tickwire/ui';
import type { Finding } from './prober';
import type { Found } from './way-back';

export type Stage =
  /** The game's code is on its way. */
  | 'loading'
  /** The server was asked for a seat. */
  | 'asking'
  /** There is a seat, but no Welcome yet. */
  | 'joining'
  /** The same, for the seat that this page had before a reload. */
  | 'returning'
  /** There was a Welcome: snapshots come, or should. */
  | 'playing'
  /** The seat is gone, and another one is looked for. */
  | 'finding'
  /** The server closed the connection for good. */
  | 'over';

export interface Situation {
  readonly stage: Stage;
  /** For so long there was nothing of what the stage waits for: a seat, a Welcome, a snapshot. */
  readonly waitedMs: number;
  /** Why the server closed the last connection; null if it did not say. */
  readonly reason: string | null;
  /** The server has said that it is going to restart. */
  readonly draining: boolean;
  /** A socket did not open although the server answered. */
  readonly blocked: boolean;
  readonly finding: Finding;
  /** Why the last request for a seat was refused, as the API's code and its sentence. */
  readonly refusal: { readonly code: string; readonly sentence: string } | null;
  /** The match's players share its link, so that one is looked for again and no other. */
  readonly shared: boolean;
  /** Seconds for which a lost seat is kept; null if the server did not say. */
  readonly graceS: number | null;
  /** The page was reloaded for this build of the server already. */
  readonly reloaded: boolean;
  /** Where the page comes from. */
  readonly origin: string;
  /** There is a place where the player can sign in again. */
  readonly canSignIn: boolean;
}

export type ActionKind = 'retry' | 'cancel' | 'leave' | 'back' | 'reload' | 'take_back' | 'again' | 'sign_in';

export interface Story {
  /** What kind of dialog it is, for tests. */
  readonly id: 'connecting' | 'lost' | 'recovering' | 'ended';
  readonly title: string;
  readonly sentence: string;
  /** Something goes on by itself. */
  readonly busy: boolean;
  readonly actions: readonly ActionKind[];
}

/** Waits shorter than this are not worth a word. */
const QUIET_MS = 700;
/** Without a snapshot for so long, a sign counts. */
const SIGN_MS = 400;
/** For so long what is lost may come back without a dialog, and what is slow is only slow. */
const PATIENCE_MS = 2_500;

/** A socket that takes longer than this to open is not going to. */
const OPENING_MS = 4_000;

/** Whether it is the WebSocket that does not get through: it was tried while the server was known to answer. */
export function isBlocked({ failedMs, openingMs }: Trouble, answersSinceMs: number | null, nowMs: number): boolean {
  if (answersSinceMs === null) return false;
  if (failedMs !== null && failedMs >= answersSinceMs) return true;
  return openingMs !== null && nowMs - Math.max(openingMs, answersSinceMs) > OPENING_MS;
}

/** The dialog; null while there is nothing to say. */
export function storyOf(situation: Situation): Story | null {
  switch (situation.stage) {
    case 'loading':
    case 'asking':
    case 'joining':
    case 'returning':
      return comingIn(situation);
    case 'playing':
      return situation.waitedMs < PATIENCE_MS ? null : lost(situation);
    case 'finding':
      return finding(situation);
    case 'over':
      return over(situation);
  }
}

/** Milliseconds to count on the sign; null while there is none. */
export function signOf({ stage, waitedMs }: Situation): number | null {
  return stage === 'playing' && waitedMs >= SIGN_MS && waitedMs < PATIENCE_MS ? waitedMs : null;
}

/** What is told of a way to the server that is not the usual one; empty for the usual one. */
export function pathSentence(path: Path): string {
  return path === 'websocket' ? '' : 'Connected through a slower path';
}

/** What is told of a restart that is near. */
export function drainSentence(seconds: number): string {
  return seconds > 0
    ? `The server restarts in ${formatClock(seconds)}; your match ends then.`
    : 'The server restarts now.';
}

export interface Arrival {
  readonly found: Found;
  /** Why the seat was lost. */
  readonly reason: string | null;
  /** The server is another one than before. */
  readonly restarted: boolean;
}

/** What happened, for a player who was found a match. */
export function arrivalSentence({ found, reason, restarted }: Arrival): string {
  switch (found) {
    case 'same':
      return 'You are back in your match.';
    case 'recreated':
      if (reason === 'lost') return `${NOT_BROUGHT_BACK}: it starts anew under the same link.`;
      return restarted
        ? 'The server restarted: your match starts anew under the same link.'
        : 'Your match had ended: it starts anew under the same link.';
    case 'another':
      if (reason === 'lost') return `${NOT_BROUGHT_BACK}: this is another one.`;
      if (restarted) return 'The server restarted, which ended your match: this is another one.';
      return reason === 'internal_error'
        ? 'Your match failed on the server, which is our fault: this is another one.'
        : 'Your match has ended: this is another one.';
  }
}

/** What the landing page says of a server that this page cannot be played on; empty if it can. */
export function mismatchSentence(finding: Finding): string {
  return finding.kind === 'other_game' ? otherGame(finding.game) : '';
}

function comingIn(situation: Situation): Story | null {
  const { stage, waitedMs } = situation;
  if (stage !== 'returning' && waitedMs < QUIET_MS) return null;
  const wait = (sentence: string): Story => ({
    id: 'connecting',
    title: 'One moment',
    sentence,
    busy: true,
    actions: ['cancel'],
  });
  if (stage === 'loading') return wait('Loading the game…');
  if (stage === 'asking') return wait('Asking for a seat…');
  const fault = faultOf(situation, 'connecting') ?? signedOut(situation, 'connecting');
  if (fault) return fault;
  if (waitedMs >= PATIENCE_MS) {
    return {
      id: 'connecting',
      title: 'Not connected yet',
      sentence: slow(situation),
      busy: true,
      actions: RETRY_OR_BACK,
    };
  }
  return wait(stage === 'returning' ? 'Returning to your seat…' : 'Connecting…');
}

function slow({ finding, blocked }: Situation): string {
  switch (finding.kind) {
    case 'offline':
      return 'This device has no network; the page goes on when it is back.';
    case 'no_answer':
      return 'The server does not answer; this page keeps trying.';
    case 'draining':
      return 'The server is restarting; this page goes on when it is back.';
    case 'must_wait':
      return 'The server asks this page to wait a moment; it goes on by itself.';
    case 'answers':
      return blocked
        ? 'The server answers, but this network blocks what the game needs of it: try another network.'
        : SLOW;
    case 'unknown':
    case 'refused_origin':
    case 'upgrade_lost':
    case 'banned':
    case 'other_game':
    case 'other_version':
      return SLOW;
  }
}

function lost(situation: Situation): Story {
  const fault = faultOf(situation, 'lost') ?? signedOut(situation, 'lost');
  if (fault) return fault;
  const { reason, finding, draining, blocked, graceS } = situation;
  const kept = graceS === null ? 'your seat is kept' : `your seat is kept for ${formatSpan(graceS)}`;
  const story = (title: string, sentence: string): Story => ({
    id: 'lost',
    title,
    sentence,
    busy: true,
    actions: ['retry', 'leave'],
  });
  if (finding.kind === 'offline') return story('You are offline', `This device has no network; ${kept}.`);
  if (draining || finding.kind === 'draining') return story(RESTARTING, restarting(situation));
  if (reason === 'rate_limited') return story('Paused', `${sentenceStart(reason)}; it goes on by itself, and ${kept}.`);
  if (finding.kind === 'must_wait') {
    return story('Paused', `The server asks this page to wait a moment; it goes on by itself, and ${kept}.`);
  }
  if (finding.kind === 'no_answer') return story(LOST, 'The server does not answer; this page keeps trying.');
  if (finding.kind === 'answers' && blocked) {
    return story(LOST, `The server answers, but this network lets no WebSocket through; ${kept}.`);
  }
  if (reason !== null) return story(LOST, `${sentenceStart(reason)}; ${kept}.`);
  return story(LOST, `Reconnecting; ${kept}.`);
}

function finding(situation: Situation): Story {
  const fault = faultOf(situation, 'recovering');
  if (fault) return fault;
  const { reason, draining, finding: known, refusal, shared } = situation;
  const story = (title: string, sentence: string): Story => ({
    id: 'recovering',
    title,
    sentence,
    busy: true,
    actions: RETRY_OR_BACK,
  });
  if (known.kind === 'offline')
    return story('You are offline', 'This device has no network; the page goes on when it is back.');
  if (draining || reason === 'draining' || known.kind === 'draining') return story(RESTARTING, restarting(situation));
  if (known.kind === 'no_answer') {
    return story('No answer', `The server does not answer; this page keeps trying and ${aim(shared)} when it is back.`);
  }
  switch (refusal?.code) {
    case undefined:
      return story(
        shared ? 'Back to your match' : 'Finding you a match',
        shared ? 'Opening your match again…' : 'Looking for a match…',
      );
    case 'match_full':
      return story(
        'Your match is full',
        'Every seat of your match is taken; this page takes the first that becomes free.',
      );
    case 'match_lost':
      return story('Your match is lost', `${NOT_BROUGHT_BACK}; this page keeps trying to open it anew.`);
    case 'match_not_found':
      return story('Your match has ended', 'Nobody has opened your match again yet; this page keeps trying.');
    case 'at_capacity':
      return story('The server is full', 'The server has no room right now; this page keeps trying.');
    case 'rate_limited':
      return story('One moment', 'Too many are asking for a seat at once; this page keeps trying.');
    default:
      return story('No seat yet', refusal?.sentence ?? '');
  }
}

function over({ reason, finding, reloaded }: Situation): Story {
  const story = (title: string, sentence: string, actions: readonly ActionKind[]): Story => ({
    id: 'ended',
    title,
    sentence,
    busy: false,
    actions,
  });
  const [retry, sentence] = [retryOf(reason ?? ''), closeSentence(reason ?? '')];
  if (reason === 'replaced') return story('Played elsewhere', sentence, ['take_back', 'back']);
  if (reason === 'match_over')
    return story('The match is over', 'The match ended while you were away.', ['again', 'back']);
  if (retry !== 'reload') return story('Disconnected', sentence, ['back']);
  if (finding.kind === 'other_game') return story('Another game', otherGame(finding.game), ['reload', 'back']);
  return reloaded
    ? story('Page and server differ', STILL_DIFFERENT, ['reload', 'back'])
    : story('Reload needed', sentence, ['reload', 'back']);
}

/** What no waiting mends. */
function faultOf({ finding, origin }: Situation, id: Story['id']): Story | null {
  const story = (title: string, sentence: string, actions: readonly ActionKind[]): Story => ({
    id,
    title,
    sentence,
    busy: false,
    actions,
  });
  switch (finding.kind) {
    case 'refused_origin':
      return story(
        'Set up wrong',
        `This site is set up wrong: the game server does not take players from ${origin}, which only its operator can mend.`,
        RETRY_OR_BACK,
      );
    case 'upgrade_lost':
      return story(
        'Set up wrong',
        'This site is set up wrong: a proxy in front of the game server lets no WebSocket through, which only its operator can mend.',
        RETRY_OR_BACK,
      );
    case 'banned':
      return story('Not allowed', finding.sentence, ['back']);
    case 'other_game':
      return story('Another game', otherGame(finding.game), ['reload', 'back']);
    case 'must_wait':
    case 'unknown':
    case 'offline':
    case 'no_answer':
    case 'answers':
    case 'draining':
    case 'other_version':
      return null;
  }
}

/** What the player can mend. */
function signedOut({ reason, canSignIn, graceS }: Situation, id: Story['id']): Story | null {
  if (reason !== 'sign_in_expired' || !canSignIn) return null;
  const kept = graceS === null ? 'your seat is kept' : `your seat is kept for ${formatSpan(graceS)}`;
  const sentence = `Your sign-in has expired: sign in again to go on, ${kept}.`;
  return { id, title: 'Signed out', sentence, busy: false, actions: ['sign_in', 'leave'] };
}

function restarting({ shared }: Situation): string {
  return `The server is restarting, which ends your match; this page ${aim(shared)} when it is back.`;
}

function aim(shared: boolean): string {
  return shared ? 'opens your match again' : 'finds you another match';
}

function otherGame(game: string): string {
  return `Another game runs on this server, "${game}", and this page cannot play it: its operator has to serve the page that belongs to it.`;
}

/** The reason's sentence, to be gone on with. */
function sentenceStart(reason: string): string {
  return closeSentence(reason).replace(/\.$/, '');
}

const NOT_BROUGHT_BACK = 'The server restarted and could not bring your match back';
const SLOW = 'Connecting takes longer than usual.';
const LOST = 'Connection lost';
const RESTARTING = 'The server restarts';
const STILL_DIFFERENT =
  'This page and the server are of different versions, and reloading did not help: its operator has to update the page.';
const RETRY_OR_BACK: readonly ActionKind[] = ['retry', 'back'];
