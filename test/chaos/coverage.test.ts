import { expect, test } from 'vitest';
import { Coverage, RunsCovered } from '../../chaos/coverage.ts';

test('a run counts how often, runs count in how many of them', () => {
  const run = new Coverage();
  run.note('fault', 'kill');
  run.note('fault', 'kill');
  expect(run.counts).toEqual({ 'fault: kill': 2 });

  const covered = new RunsCovered();
  covered.add(run.counts);
  covered.add(new Coverage().counts);
  covered.merge(2, { 'fault: kill': 1, 'situation: ISR of one': 2 });
  expect(covered.runs).toBe(4);
  expect(covered.reached).toEqual({ 'fault: kill': 2, 'situation: ISR of one': 2 });
});

test('what never happened is told by its name', () => {
  const covered = new RunsCovered();
  covered.merge(200, { 'fault: kill': 100 });
  const expected = ['fault: kill', 'fault: pause'];
  expect(covered.missing(expected)).toEqual(['fault: pause']);
  expect(covered.table(expected)).toMatch(/^fault: kill +100 +50.0 %$/m);
  expect(covered.table(expected)).toMatch(/^fault: pause +0 +0.0 %$/m);
});
