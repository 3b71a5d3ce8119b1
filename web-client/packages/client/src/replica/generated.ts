// What the client knows of the protocol. Generated: `cargo xtask bindings` writes it.

/** Longest message of the server, bytes. */
export const SERVER_MESSAGE_BYTES_MAX = 262144;
/** Furthest ahead of the server an input may be meant for, ticks. */
export const INPUT_LEAD_TICKS_MAX = 32;
/** Parts of a tick in which a pong counts. */
export const TICK_PARTS = 256;
/** Over HTTP: most messages in a request. */
export const BATCH_MESSAGES_MAX = 64;
/** Over HTTP: longest request, bytes. */
export const BATCH_BYTES_MAX = 4096;
/** Bytes of a match's id; two hex digits each. */
export const MATCH_ID_BYTES = 16;

/** Where a match is in its life, by number. */
export const PHASES = ['waiting', 'countdown', 'live', 'finished'] as const;
export type Phase = (typeof PHASES)[number];

/** Why the server ends a session, and what helps: see `Retry`. */
export const CLOSE_REASONS = {
  left: 'none',
  match_over: 'none',
  draining: 'rejoin',
  replaced: 'none',
  silent: 'resume',
  too_slow: 'resume',
  rate_limited: 'resume',
  malformed: 'none',
  wrong_protocol: 'reload',
  wrong_schema: 'reload',
  hello_timeout: 'rejoin',
  bad_ticket: 'rejoin',
  bad_resume: 'rejoin',
  match_gone: 'rejoin',
  internal_error: 'rejoin',
  full: 'none',
  busy: 'resume',
  sign_in_expired: 'resume',
  kicked: 'none',
  banned: 'none',
  overloaded: 'resume',
  restarting: 'resume',
  moved: 'resume',
  lost: 'rejoin',
} as const;
export type CloseReason = keyof typeof CLOSE_REASONS;

/** Resume the seat, ask for a new one, load a newer page first, or nothing. */
export type Retry = 'resume' | 'rejoin' | 'reload' | 'none';
