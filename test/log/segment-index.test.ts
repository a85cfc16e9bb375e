import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SegmentIndex } from '../../src/log/segment-index.ts';

interface Placed {
  baseOffset: number;
  lastOffset: number;
  position: number;
  sizeBytes: number;
  maxTimestamp: number;
}

const BASE = 1000;
const sizes = fc.array(
  fc.record({
    count: fc.integer({ min: 1, max: 5 }),
    sizeBytes: fc.integer({ min: 61, max: 400 }),
    maxTimestamp: fc.integer({ min: 0, max: 50 }),
  }),
  { maxLength: 60 },
);

function place(list: readonly { count: number; sizeBytes: number; maxTimestamp: number }[]): Placed[] {
  const placed: Placed[] = [];
  let [baseOffset, position] = [BASE, 0];
  for (const { count, sizeBytes, maxTimestamp } of list) {
    placed.push({ baseOffset, lastOffset: baseOffset + count - 1, position, sizeBytes, maxTimestamp });
    baseOffset += count;
    position += sizeBytes;
  }
  return placed;
}

function indexOf(placed: readonly Placed[], intervalBytes: number): SegmentIndex {
  const index = new SegmentIndex(BASE, intervalBytes);
  for (const item of placed) index.add(item);
  return index;
}

test('a lookup agrees with a linear scan, before and after a truncation and a round trip through files', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 1000 }), fc.nat(), (list, intervalBytes, cutAt) => {
      let placed = place(list);
      let index = indexOf(placed, intervalBytes);
      const check = () => {
        const end = placed.at(-1);
        expect(index.endOffset).toBe(end === undefined ? BASE : end.lastOffset + 1);
        expect(index.sizeBytes).toBe(end === undefined ? 0 : end.position + end.sizeBytes);
        for (const { baseOffset, lastOffset } of placed) {
          for (const offset of [baseOffset, lastOffset]) {
            const floor = index.floor(offset);
            expect(floor.offset).toBeLessThanOrEqual(offset);
            // A real batch, at most an interval and a batch before the one asked for.
            const at = placed.find((item) => item.position === floor.position);
            expect(at?.baseOffset).toBe(floor.offset);
            const target = placed.find((item) => item.lastOffset >= offset);
            expect((target?.position ?? 0) - floor.position).toBeLessThan(intervalBytes + 400);
          }
        }
        for (let timestamp = 0; timestamp <= 51; timestamp += 3) {
          const first = placed.find((item) => item.maxTimestamp >= timestamp);
          if (first !== undefined)
            expect(index.floorByTimestamp(timestamp).offset).toBeLessThanOrEqual(first.baseOffset);
        }
      };
      check();
      const cut = placed[cutAt % (placed.length + 1)];
      if (cut !== undefined) {
        index.truncate(cut.baseOffset, cut.position);
        placed = placed.filter((item) => item.position < cut.position);
        check();
      }
      const of = { baseOffset: BASE, endOffset: index.endOffset, sizeBytes: index.sizeBytes, intervalBytes };
      const files = [index.encodeOffsets(), index.encodeTimestamps()] as const;
      expect(SegmentIndex.decode(...files, { ...of, endOffset: of.endOffset + 1 })).toBeUndefined();
      expect(SegmentIndex.decode(...files, { ...of, sizeBytes: of.sizeBytes + 1 })).toBeUndefined();
      expect(SegmentIndex.decode(files[0].slice(1), files[1], of)).toBeUndefined();
      index = SegmentIndex.decode(...files, of) ?? expect.fail('refused its own files');
      check();
    }),
  );
});
