import { expect, test } from 'vitest';
import { browserClock, browserRandom, browserTimers } from '../../src/platform/browser.ts';

test('turns come later, in order, before a timer', async () => {
  const seen: string[] = [];
  const done = new Promise<void>((resolve) => browserTimers.set(20, resolve));
  const cleared = browserTimers.set(1, () => seen.push('cleared'));
  browserTimers.clear(cleared);
  browserTimers.soon(() => seen.push('first'));
  browserTimers.soon(() => {
    seen.push('second');
    browserTimers.soon(() => seen.push('third'));
  });
  expect(seen).toEqual([]);
  await done;
  expect(seen).toEqual(['first', 'second', 'third']);
});

test('the clocks run, and chance is chance', () => {
  const before = browserClock.monotonicMs();
  expect(browserClock.wallMs()).toBeGreaterThan(1.6e12);
  expect(browserClock.monotonicMs()).toBeGreaterThanOrEqual(before);
  expect(browserRandom.bytes(16)).not.toEqual(browserRandom.bytes(16));
  expect(browserRandom.float()).not.toBe(browserRandom.float());
});
