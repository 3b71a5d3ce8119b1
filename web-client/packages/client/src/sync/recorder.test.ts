import { describe, expect, it } from 'vitest';
import { InputRecorder } from './recorder';

describe('InputRecorder', () => {
  it('keeps every message as it went over the wire', () => {
    const recorder = new InputRecorder('arena');
    recorder.add(Uint8Array.of(1, 0, 255));
    recorder.add(Uint8Array.of(16));
    expect(JSON.parse(recorder.toJson())).toEqual({ game: 'arena', inputs: ['0100ff', '10'] });
  });

  it('starts over with a new seat', () => {
    const recorder = new InputRecorder('arena');
    recorder.add(Uint8Array.of(1));
    recorder.restart();
    expect(recorder.length).toBe(0);
  });

  it('is bounded', () => {
    const recorder = new InputRecorder('arena');
    for (let count = 0; count < 216_010; count += 1) recorder.add(Uint8Array.of(1));
    expect(recorder.length).toBe(216_000);
  });
});
