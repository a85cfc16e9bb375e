import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MetadataImage } from '../../src/metadata/image.ts';
import { decodeRecords } from '../../src/metadata/records.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/metadata/snapshot.ts';
import { Model, type Step, WEIGHTS } from './support/model.ts';

const RUNS = 300;
const STEPS_MAX = 120;

const joined = (image: MetadataImage) => new Uint8Array(Buffer.concat(encodeSnapshot(image)));

function replay(from: MetadataImage, log: readonly Uint8Array[], end: number): MetadataImage {
  let image = from;
  for (let index = image.index + 1; index <= end; index++)
    image = image.apply(decodeRecords(log[index - 1] ?? new Uint8Array(0)), index);
  return image;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(WEIGHTS).map(([kind, weight]) => ({
      weight: weight * 10,
      arbitrary: fc.constant(kind as Step['kind']),
    })),
  ),
  a: fc.nat(60),
  b: fc.nat(60),
  c: fc.nat(60),
});

/** Three brokers and a topic at once, so that short sequences are about something. */
const prologue: Step[] = [
  ...[0, 1, 2].map((a): Step => ({ kind: 'start', a, b: 1, c: 1 })),
  { kind: 'commit', a: 0, b: 0, c: 0 },
  { kind: 'beatAll', a: 0, b: 0, c: 0 },
  { kind: 'commit', a: 0, b: 0, c: 0 },
  { kind: 'topic', a: 0, b: 1, c: 2 },
  { kind: 'topic', a: 1, b: 1, c: 5 },
  { kind: 'commit', a: 0, b: 0, c: 0 },
];

test('random brokers, ISR changes, topics and lost leaderships keep every invariant', async () => {
  const seen = new Map<string, number>();
  const steps = fc.array(step, { maxLength: STEPS_MAX, size: 'max' });
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), fc.nat(1000), async (random, seed, cut) => {
      const model = new Model(seed);
      for (const each of [...prologue, ...random]) await model.step(each);
      const { h } = model;
      h.commit();
      model.check();
      expect(h.crashed).toBeUndefined();
      for (const [what, count] of Object.entries(model.seen)) seen.set(what, (seen.get(what) ?? 0) + count);
      // What was speculative has come true, and every way to the image leads to the same one.
      expect(joined(h.shell.speculativeImage())).toEqual(joined(h.image));
      const at = cut % (h.committed + 1);
      const before = replay(MetadataImage.EMPTY, h.log, at);
      const restored = decodeSnapshot(joined(before), at);
      expect(joined(replay(restored, h.log, h.committed))).toEqual(joined(h.image));
    }),
    { numRuns: RUNS },
  );
  // A generator that never gets there proves nothing.
  for (const [what, count] of seen) expect(count, what).toBeGreaterThan(RUNS / 10);
});
