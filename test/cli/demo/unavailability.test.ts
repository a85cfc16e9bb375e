import { expect, test } from 'vitest';
import { Unavailability } from '../../../src/cli/demo/unavailability.ts';

test('the longest time that a partition waited, others or none', () => {
  const unavailability = new Unavailability();
  unavailability.sent(0, 10, 100);
  unavailability.sent(1, 10, 100);
  unavailability.acknowledged(1, 10, 110);
  unavailability.acknowledged(0, 5, 120);
  expect(unavailability.waitingMs(500)).toBe(380);
  unavailability.acknowledged(0, 5, 1000);
  expect(unavailability.longestMs).toBe(880);
});

test('a time without anything to acknowledge does not count', () => {
  const unavailability = new Unavailability();
  unavailability.sent(0, 1, 0);
  unavailability.acknowledged(0, 1, 5);
  expect(unavailability.waitingMs(10_000)).toBe(0);
  unavailability.sent(0, 1, 10_000);
  unavailability.acknowledged(0, 1, 10_003);
  expect(unavailability.longestMs).toBe(5);
});
