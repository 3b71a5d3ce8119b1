import { expect, it } from 'vitest';
import { ApiError } from '@tickwire/client';
import { problemSentence } from './problem-sentences';

const OTHER = 'Something else.';
const told = (code: string, status = 400, detail = '', retryAfterS: number | null = null): string =>
  problemSentence(new ApiError(code, status, detail, retryAfterS), OTHER);

it('tells a problem in one sentence', () => {
  expect(told('match_full', 409, 'seats 16/16')).toBe('That match is full. Try another one.');
  expect(told('origin_not_allowed', 403, 'No.')).toContain('Only its operator can mend that');
  expect(told('session_expired', 401)).toContain('Sign in again');
  expect(told('unreachable', 0)).toContain('cannot be reached');
});

it('says how long to wait', () => {
  expect(told('rate_limited', 429, '', 7)).toBe('That was too many tries. Try again in 7 s.');
});

it('lets the server explain a code this page does not know', () => {
  expect(told('name_taken', 400, 'Ada is taken.')).toBe('Ada is taken.');
  expect(told('unknown', 500)).toBe('The server had a problem. Try again.');
});

it('leaves what is no request to who asked', () => {
  expect(problemSentence(new TypeError('x'), OTHER)).toBe(OTHER);
});
