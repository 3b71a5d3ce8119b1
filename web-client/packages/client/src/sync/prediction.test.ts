import { describe, expect, it } from 'vitest';
import { Prediction } from './prediction';

const row = (x: number, y: number): Int32Array => Int32Array.from([7, x, y]);
const fields = [1, 2];

describe('Prediction', () => {
  it('draws between the last two predicted ticks', () => {
    const prediction = new Prediction(fields, 1_000);
    prediction.stepped(row(0, 0));
    prediction.stepped(row(100, 40));
    expect(prediction.sample(0.25, 0)).toMatchObject({ place: [25, 10] });
  });

  it('lets a correction fade instead of jumping', () => {
    const prediction = new Prediction(fields, 1_000);
    prediction.stepped(row(0, 0));
    prediction.stepped(row(100, 0));
    const before = prediction.sample(1, 1_000)?.place[0] ?? 0;
    prediction.reconciled(row(60, 0), [40, 0]);
    const after = prediction.sample(1, 1_000)?.place[0] ?? 0;
    expect(after).toBeCloseTo(before);
    expect(prediction.sample(1, 1_060)?.place[0]).toBeCloseTo(80);
    expect(prediction.sample(1, 3_000)?.place[0]).toBeCloseTo(60);
  });

  it('takes a teleport at once', () => {
    const prediction = new Prediction(fields, 1_000);
    prediction.stepped(row(0, 0));
    prediction.reconciled(row(9_000, 0), [-9_000, 0]);
    expect(prediction.sample(1, 0)?.place[0]).toBe(9_000);
  });

  it('has no body while dead, and starts without a smear afterwards', () => {
    const prediction = new Prediction(fields, 1_000);
    prediction.stepped(row(0, 0));
    prediction.reconciled(null, [0, 0]);
    expect(prediction.sample(1, 0)).toBeNull();
    prediction.reconciled(row(500, 0), [0, 0]);
    expect(prediction.sample(0, 0)?.place[0]).toBe(500);
  });

  it('stays where it was drawn when the connection is replaced, then slides', () => {
    const prediction = new Prediction(fields, 1_000);
    prediction.stepped(row(0, 0));
    prediction.stepped(row(100, 0));
    prediction.sample(0.5, 1_000);
    prediction.resume();
    expect(prediction.sample(1, 1_300)).toMatchObject({ place: [50, 0] });
    prediction.reconciled(row(300, 0), [0, 0]);
    prediction.stepped(row(350, 0));
    expect(prediction.sample(1, 1_300)?.place[0]).toBeCloseTo(50);
    expect(prediction.sample(1, 1_360)?.place[0]).toBeCloseTo(200);
    expect(prediction.sample(1, 3_000)?.place[0]).toBeCloseTo(350);
  });

  it('does not slide to where it was carried far away meanwhile, nor out of death', () => {
    const prediction = new Prediction(fields, 1_000);
    prediction.stepped(row(0, 0));
    prediction.sample(1, 1_000);
    prediction.resume();
    prediction.reconciled(row(5_000, 0), [0, 0]);
    expect(prediction.sample(1, 1_000)?.place[0]).toBe(5_000);
    prediction.resume();
    prediction.reconciled(null, [0, 0]);
    expect(prediction.sample(1, 1_000)).toBeNull();
  });
});
