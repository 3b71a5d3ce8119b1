import { describe, expect, it } from 'vitest';
import type { Trouble } from '@tickwire/client';
import {
  arrivalSentence,
  isBlocked,
  drainSentence,
  mismatchSentence,
  signOf,
  storyOf,
  type Situation,
  type Stage,
} from './connection-story';
import type { Finding } from './prober';

const CALM: Situation = {
  stage: 'playing',
  waitedMs: 0,
  reason: null,
  draining: false,
  blocked: false,
  finding: { kind: 'unknown' },
  refusal: null,
  shared: false,
  graceS: 300,
  reloaded: false,
  origin: 'https://arena.example',
  canSignIn: false,
};

const SILENT: Finding = { kind: 'no_answer' };
const ANSWERS: Finding = { kind: 'answers' };

/** What the player reads: the sign's or the dialog's words, or nothing. */
function told(changes: Partial<Situation>): string {
  const situation = { ...CALM, ...changes };
  const story = storyOf(situation);
  if (story) return `${story.title}: ${story.sentence}`;
  return signOf(situation) === null ? '' : 'sign';
}

describe('the story of', () => {
  it('a reconnect of 0.3 s is none, and one of a second a sign', () => {
    expect(told({ waitedMs: 300 })).toBe('');
    expect(told({ waitedMs: 400 })).toBe('sign');
    expect(told({ waitedMs: 2_400, finding: SILENT, blocked: true })).toBe('sign');
    expect(told({ waitedMs: 2_500 })).toBe('Connection lost: Reconnecting; your seat is kept for 5 minutes.');
  });

  it('a sign-in that expired is what the player can mend, where there is a place to', () => {
    const expired = { waitedMs: 3_000, reason: 'sign_in_expired' };
    expect(told({ ...expired, canSignIn: true })).toBe(
      'Signed out: Your sign-in has expired: sign in again to go on, your seat is kept for 5 minutes.',
    );
    expect(told({ ...expired, stage: 'returning', canSignIn: true })).toContain('Signed out');
    expect(told(expired)).toBe('Connection lost: Your sign-in has expired; your seat is kept for 5 minutes.');
  });

  it('a killed server is that it does not answer, then that another match is looked for', () => {
    expect(told({ waitedMs: 3_000 })).toBe('Connection lost: Reconnecting; your seat is kept for 5 minutes.');
    expect(told({ waitedMs: 5_000, finding: SILENT })).toBe(
      'Connection lost: The server does not answer; this page keeps trying.',
    );
    expect(told({ stage: 'finding', reason: 'bad_resume' })).toBe('Finding you a match: Looking for a match…');
    expect(told({ stage: 'finding', reason: 'bad_resume', finding: SILENT })).toBe(
      'No answer: The server does not answer; this page keeps trying and finds you another match when it is back.',
    );
    expect(arrivalSentence({ found: 'another', reason: 'bad_resume', restarted: true })).toBe(
      'The server restarted, which ended your match: this is another one.',
    );
  });

  it('a drain is told before it ends, and stays the same sentence until the server is back', () => {
    expect(drainSentence(42)).toBe('The server restarts in 0:42; your match ends then.');
    expect(drainSentence(0)).toBe('The server restarts now.');
    const sentence =
      'The server restarts: The server is restarting, which ends your match; this page finds you another match when it is back.';
    const refusal = { code: 'draining', sentence: 'The server is about to restart. Try again in a minute.' };
    expect(told({ waitedMs: 3_000, draining: true })).toBe(sentence);
    expect(told({ stage: 'finding', reason: 'draining', finding: { kind: 'draining' }, refusal })).toBe(sentence);
    expect(told({ stage: 'finding', reason: 'draining', finding: SILENT })).toBe(sentence);
    expect(told({ stage: 'finding', reason: 'draining', finding: ANSWERS })).toBe(sentence);
  });

  it('a restart takes those who share a link back to it', () => {
    expect(told({ stage: 'finding', reason: 'draining', shared: true })).toBe(
      'The server restarts: The server is restarting, which ends your match; this page opens your match again when it is back.',
    );
    expect(told({ stage: 'finding', reason: 'bad_resume', shared: true })).toBe(
      'Back to your match: Opening your match again…',
    );
    expect(arrivalSentence({ found: 'recreated', reason: 'bad_resume', restarted: true })).toBe(
      'The server restarted: your match starts anew under the same link.',
    );
  });

  it('a match that a restart could not bring back is told as that', () => {
    expect(
      told({ stage: 'finding', reason: 'lost', shared: true, refusal: { code: 'match_lost', sentence: '' } }),
    ).toBe(
      'Your match is lost: The server restarted and could not bring your match back; this page keeps trying to open it anew.',
    );
    expect(arrivalSentence({ found: 'another', reason: 'lost', restarted: true })).toBe(
      'The server restarted and could not bring your match back: this is another one.',
    );
    expect(arrivalSentence({ found: 'recreated', reason: 'lost', restarted: true })).toBe(
      'The server restarted and could not bring your match back: it starts anew under the same link.',
    );
  });

  it('a WebSocket that is blocked is no lost connection', () => {
    expect(told({ stage: 'joining', waitedMs: 500, blocked: true })).toBe('');
    expect(told({ stage: 'joining', waitedMs: 1_000, blocked: true })).toBe('One moment: Connecting…');
    expect(told({ stage: 'joining', waitedMs: 3_000, blocked: true })).toBe(
      'Not connected yet: Connecting takes longer than usual.',
    );
    expect(told({ stage: 'joining', waitedMs: 3_000, blocked: true, finding: ANSWERS })).toBe(
      'Not connected yet: The server answers, but this network blocks what the game needs of it: try another network.',
    );
    expect(told({ stage: 'joining', waitedMs: 3_000, finding: ANSWERS })).toBe(
      'Not connected yet: Connecting takes longer than usual.',
    );
    expect(told({ stage: 'joining', waitedMs: 3_000, blocked: true, finding: SILENT })).toBe(
      'Not connected yet: The server does not answer; this page keeps trying.',
    );
  });

  it('a server that is back is not a network that blocks: only a socket tried since then tells', () => {
    const failed = (failedMs: number | null, openingMs: number | null = null): Trouble => ({
      reason: null,
      failedMs,
      openingMs,
    });
    expect(isBlocked(failed(1_000), null, 9_000), 'it does not answer').toBe(false);
    expect(isBlocked(failed(1_000), 2_000, 9_000), 'it answered later').toBe(false);
    expect(isBlocked(failed(2_500), 2_000, 9_000)).toBe(true);
    expect(isBlocked(failed(null, 1_000), 2_000, 5_000), 'it may still open').toBe(false);
    expect(isBlocked(failed(null, 1_000), 2_000, 7_000)).toBe(true);
    expect(isBlocked(failed(null), 2_000, 9_000)).toBe(false);
  });

  it.each<Stage>(['joining', 'returning', 'playing', 'finding'])(
    'a site that is set up wrong is just that, while %s',
    (stage) => {
      const refused = told({ stage, waitedMs: 3_000, blocked: true, finding: { kind: 'refused_origin' } });
      expect(refused).toBe(
        'Set up wrong: This site is set up wrong: the game server does not take players from https://arena.example, which only its operator can mend.',
      );
      expect(told({ stage, waitedMs: 3_000, blocked: true, finding: { kind: 'upgrade_lost' } })).toContain(
        'a proxy in front of the game server lets no WebSocket through',
      );
      expect(told({ stage, waitedMs: 3_000, finding: { kind: 'other_game', game: 'tag' } })).toContain(
        'Another game runs on this server, "tag"',
      );
    },
  );

  it('another build is to reload once, not for ever', () => {
    const closed = { stage: 'over', reason: 'wrong_schema' } as const;
    expect(told(closed)).toBe('Reload needed: There is a newer version of the game. Reload the page to play it.');
    expect(told({ ...closed, reloaded: true })).toContain('reloading did not help');
    expect(told({ ...closed, finding: { kind: 'other_game', game: 'tag' } })).toContain('"tag"');
    expect(mismatchSentence({ kind: 'other_game', game: 'tag' })).toContain('"tag"');
    expect(mismatchSentence(ANSWERS)).toBe('');
  });

  it('being closed for its rate is a pause', () => {
    expect(told({ waitedMs: 3_000, reason: 'rate_limited', finding: ANSWERS })).toBe(
      'Paused: This page sent too much at once, so the server paused it; it goes on by itself, and your seat is kept for 5 minutes.',
    );
  });

  it('a page that was closed several times waits, which is no fault of its network', () => {
    const waiting = { waitedMs: 3_000, blocked: true, finding: { kind: 'must_wait' } } as const;
    expect(told({ ...waiting, stage: 'returning' })).toBe(
      'Not connected yet: The server asks this page to wait a moment; it goes on by itself.',
    );
    expect(told({ ...waiting, stage: 'playing' })).toBe(
      'Paused: The server asks this page to wait a moment; it goes on by itself, and your seat is kept for 5 minutes.',
    );
  });

  it.each<Stage>(['joining', 'returning', 'playing', 'finding'])('who is banned reads so, while %s', (stage) => {
    const finding = { kind: 'banned', sentence: 'The people who run this server do not let you play here.' } as const;
    expect(told({ stage, waitedMs: 3_000, blocked: true, finding })).toBe(`Not allowed: ${finding.sentence}`);
    expect(storyOf({ ...CALM, stage, waitedMs: 3_000, finding })?.actions).toEqual(['back']);
  });

  it('a seat played elsewhere can be taken back', () => {
    expect(storyOf({ ...CALM, stage: 'over', reason: 'replaced' })?.actions).toEqual(['take_back', 'back']);
  });

  it('what the API refuses is its own sentence where the page has none', () => {
    const refusal = { code: 'too_many_matches', sentence: 'You have started 4 matches that still go on.' };
    expect(told({ stage: 'finding', shared: true, refusal })).toBe(`No seat yet: ${refusal.sentence}`);
    expect(told({ stage: 'finding', shared: true, refusal: { code: 'match_full', sentence: '' } })).toContain(
      'Every seat of your match is taken',
    );
  });
});

/** Every combination of what a situation is made of. */
function* everySituation(): Generator<Situation> {
  const flags = [false, true];
  const findings: Finding[] = [
    ...(['unknown', 'offline', 'no_answer', 'answers', 'draining', 'refused_origin', 'upgrade_lost'] as const).map(
      (kind) => ({
        kind,
      }),
    ),
    { kind: 'other_game', game: 'tag' },
    { kind: 'other_version', schema: 'abc' },
  ];
  const reasons = [
    null,
    'draining',
    'bad_resume',
    'rate_limited',
    'too_slow',
    'replaced',
    'wrong_schema',
    'match_over',
    'new',
  ];
  const refusals = [null, { code: 'draining', sentence: 'Refused.' }, { code: 'match_full', sentence: 'Refused.' }];
  for (const stage of ['loading', 'asking', 'joining', 'returning', 'playing', 'finding', 'over'] as const)
    for (const waitedMs of [0, 399, 400, 2_499, 2_500, 60_000])
      for (const reason of reasons)
        for (const finding of findings)
          for (const refusal of refusals)
            for (const draining of flags)
              for (const blocked of flags)
                for (const shared of flags)
                  for (const graceS of [null, 300])
                    yield { ...CALM, stage, waitedMs, reason, finding, refusal, draining, blocked, shared, graceS };
}

describe('every story', () => {
  const all = [...everySituation()].map((situation) => ({
    situation,
    story: storyOf(situation),
    sign: signOf(situation),
  }));
  const those = (which: (entry: (typeof all)[number]) => boolean): string[] => [
    ...new Set(all.filter(which).map(({ story }) => (story ? `${story.title}: ${story.sentence}` : ''))),
  ];

  it('is told by a dialog or a sign, never by both', () => {
    expect(all.filter(({ story, sign }) => story && sign !== null)).toEqual([]);
  });

  it('is a sentence with a title, and something to press', () => {
    const stories = new Map(all.map(({ story }) => [JSON.stringify(story), story]));
    for (const story of stories.values()) {
      if (!story) continue;
      expect(story.sentence).toMatch(/^[A-Z"].*[.…]$/);
      expect(story.title).toMatch(/^[A-Z].*[a-z]$/);
      expect(story.actions.length).toBeGreaterThan(0);
    }
  });

  it('says nothing at all while snapshots come', () => {
    expect(those(({ situation }) => situation.stage === 'playing' && situation.waitedMs < 400)).toEqual(['']);
  });

  it('tells of a loss only those who had something', () => {
    const coming = those(({ situation }) => ['loading', 'asking', 'joining', 'returning'].includes(situation.stage));
    expect(coming.filter((text) => /lost|your match/i.test(text))).toEqual([]);
  });

  it('promises no seat that is gone', () => {
    const gone = those(({ situation }) => situation.stage === 'finding' || situation.stage === 'over');
    expect(gone.filter((text) => text.includes('seat is kept'))).toEqual([]);
  });

  it('never has a player of a shared match be found another one', () => {
    const shared = those(({ situation }) => situation.shared);
    expect(shared.filter((text) => text.includes('another match'))).toEqual([]);
  });

  it('counts nothing: no number but the time for which the seat is kept', () => {
    const numbers = new Set(those(() => true).flatMap((text) => text.match(/\d+ \w+/g) ?? []));
    expect([...numbers]).toEqual(['5 minutes']);
  });
});
