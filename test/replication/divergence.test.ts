import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { findDivergence, truncationOffset } from '../../src/replication/divergence.ts';
import { type FetchedPartition, PartitionFollower } from '../../src/replication/partition-follower.ts';
import { ModelLog } from './support/model-log.ts';

/** Fetches until the follower has what the leader has; returns how many fetches that took. */
function converge(leader: ModelLog, follower: ModelLog): number {
  for (let fetches = 1; fetches <= 20; fetches++) {
    const fetchOffset = follower.logEndOffset;
    const diverging = findDivergence(leader, fetchOffset, follower.latestEpoch);
    if (diverging) follower.truncateTo(truncationOffset(follower, diverging));
    else if (fetchOffset < leader.logStartOffset) follower.resetTo(leader.logStartOffset);
    else follower.append(...leader.from(fetchOffset));
    if (!diverging && follower.logEndOffset === leader.logEndOffset) return fetches;
  }
  throw new Error('no convergence');
}

const values = (log: ModelLog) => log.records.map(({ value }) => value);

describe('truncation by leader epoch', () => {
  test('KIP-101, scenario 1: a follower that restarts keeps what its high watermark does not cover yet', () => {
    // A has m1, m2 with high watermark 1; it restarts and would truncate m2; then B (the leader) dies and A leads.
    const a = new ModelLog().write(0, 1, 2);
    a.highWatermark = 1;
    const b = new ModelLog().write(0, 1, 2);
    expect(converge(b, a)).toBe(1);
    expect(values(a)).toEqual([1, 2]);
  });

  test('KIP-101, scenario 2: the same offset written in two epochs after a power loss', () => {
    const a = new ModelLog().write(0, 1, 2);
    const b = new ModelLog().write(0, 1).write(1, 3);
    expect(converge(b, a)).toBe(2);
    expect(values(a)).toEqual([1, 3]);
  });

  test('KIP-279: fast fail-overs leave epochs that the other never saw', () => {
    const a = new ModelLog().write(1, 10, 11).write(3, 12, 13);
    const b = new ModelLog().write(1, 10).write(2, 20, 21, 22);
    expect(converge(b, a)).toBeLessThanOrEqual(3);
    expect(values(a)).toEqual(values(b));
  });

  test('2 to 4 elections with 0 or 1 records each converge within 3 fetches', () => {
    // Replica 0 or 1 leads each epoch, cut off from the other, and writes at most one record.
    const election = fc.record({
      leads: fc.integer({ min: 0, max: 1 }),
      records: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(election, { minLength: 2, maxLength: 4 }), (elections) => {
        const logs = [new ModelLog().write(0, -1), new ModelLog().write(0, -1)] as const;
        elections.forEach(({ leads, records }, index) => {
          if (records > 0) logs[leads as 0 | 1].write(index + 1, index);
        });
        const leader = logs[elections.at(-1)?.leads as 0 | 1];
        const follower = leader === logs[0] ? logs[1] : logs[0];
        expect(converge(leader, follower)).toBeLessThanOrEqual(3);
        expect(follower.records).toEqual(leader.records);
      }),
    );
  });

  test('any two logs of one epoch lineage converge to the leader, and never lose a common prefix', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 3 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(runs, fc.nat(5), (history, logStart) => {
        const logs = [new ModelLog(), new ModelLog()] as const;
        let next = 0;
        // Epoch by epoch: one of them writes alone, or (2) both hold the same records after one caught up.
        history.forEach(([who, count], epoch) => {
          if (who === 2) converge(logs[0], logs[1]);
          const written = Array.from({ length: count }, () => next++);
          if (who === 2) for (const log of logs) log.write(epoch, ...written);
          else logs[who as 0 | 1].write(epoch, ...written);
        });
        const [leader, follower] = logs;
        let common = 0;
        while (leader.at(common) && leader.at(common)?.value === follower.at(common)?.value) common++;
        const start = Math.min(logStart, leader.logEndOffset);
        leader.records = leader.from(start);
        leader.logStartOffset = start;
        converge(leader, follower);
        expect(follower.from(Math.max(follower.logStartOffset, start))).toEqual(leader.records);
        if (start <= common) expect(follower.logStartOffset).toBe(0);
      }),
    );
  });

  test('an empty leader and a leader that is all newer end the fetcher at the log start', () => {
    const empty = new ModelLog();
    empty.resetTo(5);
    expect(findDivergence(empty, 9, 3)).toEqual({ epoch: 3, endOffset: 5 });
    expect(findDivergence(empty, 5, 3)).toBeUndefined();
    empty.write(7, 1, 2);
    expect(findDivergence(empty, 9, 3)).toEqual({ epoch: 3, endOffset: 5 });
    // A later epoch than any of the leader's: the largest that it knows.
    expect(findDivergence(empty, 9, 8)).toEqual({ epoch: 7, endOffset: 7 });
  });
});

describe('follower', () => {
  const answer = (fields: Partial<FetchedPartition>): FetchedPartition => ({
    partitionIndex: 0,
    errorCode: ERROR_CODE.NONE,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    preferredReadReplica: -1,
    records: [],
    ...fields,
  });
  const setUp = () => {
    const log = new ModelLog().write(1, 1, 2, 3);
    const follower = new PartitionFollower(9, 2, log);
    return { log, follower, asked: follower.position() };
  };

  test('a reply that reveals divergence brings neither records nor a high watermark (KAFKA-14704)', () => {
    const { log, follower, asked } = setUp();
    const reply = answer({
      divergingEpoch: { epoch: 1, endOffset: 2 },
      highWatermark: 3,
      records: [new Uint8Array(1)],
    });
    expect(follower.onResponse(asked, reply)).toEqual({ kind: 'truncate', offset: 2 });
    expect(log.highWatermark).toBe(0);
  });

  test('drops the answer to a question of another epoch, end or tail', () => {
    const { log, follower, asked } = setUp();
    expect(follower.onResponse({ ...asked, currentLeaderEpoch: 1 }, answer({})).kind).toBe('drop');
    expect(follower.onResponse({ ...asked, fetchOffset: 2 }, answer({})).kind).toBe('drop');
    log.truncateTo(2);
    log.write(2, 9);
    expect(follower.onResponse(asked, answer({})).kind).toBe('drop');
  });

  test('starts over only when the leader has nothing that continues its log', () => {
    const { follower, asked } = setUp();
    const outOfRange = (logStartOffset: number) =>
      follower.onResponse(asked, answer({ errorCode: ERROR_CODE.OFFSET_OUT_OF_RANGE, logStartOffset }));
    expect(outOfRange(7)).toEqual({ kind: 'reset', offset: 7 });
    expect(outOfRange(2).kind).toBe('backOff');
    expect(outOfRange(-1).kind).toBe('backOff');
  });

  test('the high watermark stays within the own log and never goes back; the log start stays within it', () => {
    const { log, follower } = setUp();
    const ahead = answer({ highWatermark: 50, logStartOffset: 40 });
    expect(follower.progressAfterAppend(ahead)).toEqual({ highWatermark: 3, logStartOffset: 3 });
    log.highWatermark = 2;
    const behind = answer({ highWatermark: 1, logStartOffset: 0 });
    expect(follower.progressAfterAppend(behind)).toEqual({ highWatermark: 2, logStartOffset: 0 });
  });
});
