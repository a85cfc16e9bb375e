import { expect, test } from 'vitest';
import { Links } from '../../../chaos/sim/links.ts';

test('delays and stalls of one direction overlap, and each ends by itself', () => {
  const links = new Links();
  const endShort = links.delay('a', ['b', 'c'], 10);
  const endLong = links.delay('a', 'b', 30);
  expect(links.delayMs('a', 'b')).toBe(30);
  expect(links.delayMs('b', 'a')).toBe(0);
  endLong();
  endLong();
  expect(links.delayMs('a', 'b')).toBe(10);
  endShort();
  expect(links.delayMs('a', 'c')).toBe(0);

  const endFirst = links.stall('a', 'b');
  const endSecond = links.stall(['a'], ['b']);
  endFirst();
  endFirst();
  expect(links.isStalled('a', 'b')).toBe(true);
  endSecond();
  expect(links.isStalled('a', 'b')).toBe(false);
});
