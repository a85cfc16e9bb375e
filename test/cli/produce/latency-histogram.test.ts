import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../../src/cli/produce/latency-histogram.ts';

test('percentiles agree with those of the sorted list, to within two percent', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (latencies, percent) => {
        const histogram = new LatencyHistogram();
        for (const latency of latencies) histogram.add(latency);
        const exact =
          [...latencies].sort((a, b) => a - b)[Math.ceil((latencies.length * percent) / 100) - 1] ?? 0;
        const found = histogram.percentile(percent) ?? 0;
        expect(found).toBeGreaterThanOrEqual(exact * 0.999_999);
        expect(found).toBeLessThanOrEqual(exact * 1.0201);
      },
    ),
  );
});

test('nothing has no percentile; extremes stay within the buckets', () => {
  const histogram = new LatencyHistogram();
  expect(histogram.percentile(50)).toBeNull();
  histogram.add(0);
  histogram.add(1e12);
  expect(histogram.count).toBe(2);
  expect(histogram.percentile(99)).toBeLessThanOrEqual(3_700_000);
});
