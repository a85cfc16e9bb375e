import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AssignorMember,
  assignRange,
  assignUniform,
  type PartitionCounts,
} from '../../src/coordinator/assignors.ts';

const counts = fc.dictionary(fc.constantFrom('t1', 't2', 't3'), fc.integer({ min: 0, max: 12 }), {
  minKeys: 1,
});

type Target = ReadonlyMap<string, ReadonlySet<string>>;

function members(ids: readonly number[], topics: Iterable<string>, previous?: Target): AssignorMember[] {
  const topicIds = new Set(topics);
  return ids.map((id) => ({
    memberId: `m${id}`,
    topicIds,
    previous: previous?.get(`m${id}`) ?? new Set<string>(),
  }));
}

const loads = (target: Target) => [...target.values()].map((keys) => keys.size);
const all = (target: Target) => [...target.values()].flatMap((keys) => [...keys]).sort();
const everyPartition = (partitions: PartitionCounts) =>
  [...partitions]
    .flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => `${topic}:${partition}`))
    .sort();

function moved(before: Target, after: Target): number {
  let count = 0;
  for (const [memberId, keys] of after) for (const key of keys) if (!before.get(memberId)?.has(key)) count++;
  return count;
}

const ids = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 9 });

describe('uniform', () => {
  it('gives every partition to one member, evenly, and moves no more than a change demands', () => {
    fc.assert(
      fc.property(counts, ids, ids, (wanted, before, after) => {
        const partitions = new Map(Object.entries(wanted));
        const first = assignUniform(members(before, partitions.keys()), partitions);
        const second = assignUniform(members(after, partitions.keys(), first), partitions);
        expect(all(second)).toEqual(everyPartition(partitions));
        expect(Math.max(...loads(second)) - Math.min(...loads(second))).toBeLessThanOrEqual(1);
        // The least that must move: what each one has less before than after, if it had all it could keep.
        const total = everyPartition(partitions).length;
        const ceiling = Math.ceil(total / after.length);
        const floor = Math.floor(total / after.length);
        const kept = after.map((id) => first.get(`m${id}`)?.size ?? 0).sort((a, b) => b - a);
        let extras = total - floor * after.length;
        let keepable = 0;
        for (const size of kept) {
          const quota = extras-- > 0 ? ceiling : floor;
          keepable += Math.min(size, quota);
        }
        expect(moved(first, second)).toBe(total - keepable);
      }),
    );
  });

  it('moves nothing when nothing changed', () => {
    fc.assert(
      fc.property(counts, ids, (wanted, same) => {
        const partitions = new Map(Object.entries(wanted));
        const first = assignUniform(members(same, partitions.keys()), partitions);
        expect(assignUniform(members(same, partitions.keys(), first), partitions)).toEqual(first);
      }),
    );
  });

  it('with mixed subscriptions: each partition to a subscriber, and no single move would level more', () => {
    const mixed = fc.array(fc.subarray(['t1', 't2', 't3'], { minLength: 1 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(counts, mixed, mixed, (wanted, before, after) => {
        const partitions = new Map(Object.entries(wanted));
        const group = (topics: string[][], previous?: Target) =>
          topics.flatMap((names, id) => members([id], names, previous));
        const first = assignUniform(group(before), partitions);
        const second = assignUniform(group(after, first), partitions);
        const subscribed = new Map([...partitions].filter(([topic]) => after.flat().includes(topic)));
        expect(all(second)).toEqual(everyPartition(subscribed));
        for (const [index, names] of after.entries()) {
          for (const key of second.get(`m${index}`) ?? []) {
            const topic = key.split(':')[0] ?? '';
            expect(names).toContain(topic);
            const others = after.flatMap((others, other) => (others.includes(topic) ? [`m${other}`] : []));
            const least = Math.min(...others.map((id) => second.get(id)?.size ?? 0));
            expect(second.get(`m${index}`)?.size).toBeLessThanOrEqual(least + 1);
          }
        }
      }),
    );
  });
});

describe('range', () => {
  it('gives contiguous runs per topic, so that equal partitions of equal topics meet', () => {
    const partitions = new Map([
      ['t1', 5],
      ['t2', 5],
    ]);
    const target = assignRange(members([2, 1], partitions.keys()), partitions);
    expect([...(target.get('m1') ?? [])]).toEqual(['t1:0', 't1:1', 't1:2', 't2:0', 't2:1', 't2:2']);
    expect([...(target.get('m2') ?? [])]).toEqual(['t1:3', 't1:4', 't2:3', 't2:4']);
  });

  it('covers everything, even within one per topic', () => {
    fc.assert(
      fc.property(counts, ids, (wanted, group) => {
        const partitions = new Map(Object.entries(wanted));
        const target = assignRange(members(group, partitions.keys()), partitions);
        expect(all(target)).toEqual(everyPartition(partitions));
        for (const topic of partitions.keys()) {
          const shares = [...target.values()].map(
            (keys) => [...keys].filter((k) => k.startsWith(topic)).length,
          );
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
