// Tells screen readers what happened, in whole sentences. What only counts is shown and not told.
import { el } from './dom';

/** Without a change of text nothing is read out, so a sentence that repeats gets this at its end. */
const REPEATED = '\u00a0';
/** What comes so soon after the last is read out together with it: the later would silence the earlier. */
const TOGETHER_MS = 400;
/** More than this is not listened to; strangers must not make it grow. */
const LENGTH_MAX = 300;

export class Announcer {
  readonly element = el('p', { class: 'visually-hidden', role: 'status', 'data-testid': 'announcer' });
  private saidMs = -Infinity;

  /** Reads `sentence` out when the reader has finished what it says now. Nothing for an empty one. */
  say(sentence: string): void {
    if (sentence === '') return;
    const nowMs = performance.now();
    const before = this.element.textContent;
    if (nowMs - this.saidMs < TOGETHER_MS && before.length < LENGTH_MAX)
      this.element.textContent = `${before} ${sentence}`;
    else this.element.textContent = before === sentence ? sentence + REPEATED : sentence;
    this.saidMs = nowMs;
  }
}
