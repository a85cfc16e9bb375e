import { describe, expect, test } from 'vitest';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { PartitionLeader } from '../../src/replication/partition-leader.ts';
import { ModelLog } from './support/model-log.ts';
import { LIMITS } from './support/replication-sim.ts';

const ok = (leaderEpoch: number, isr: number[], partitionEpoch: number) => ({
  errorCode: ERROR_CODE.NONE,
  ...{ leaderEpoch, isr, partitionEpoch },
});
const refused = (errorCode: number) => ({ errorCode, leaderEpoch: 0, isr: [], partitionEpoch: 0 });

/** Broker 1 leads epoch 5 with a log of 10 synced records of epoch 4. */
function lead(isr: number[], { minInSyncReplicas = 1, replicas = [1, 2, 3], highWatermark = 0 } = {}) {
  const log = new ModelLog().write(4, ...Array.from({ length: 10 }, (_, value) => value));
  log.highWatermark = highWatermark;
  const assignment = { replicas, isr, leaderEpoch: 5, partitionEpoch: 7, minInSyncReplicas };
  const leader = new PartitionLeader(1, assignment, log, LIMITS, 0);
  const fetch = (brokerId: number, fetchOffset: number, nowMs = 0, brokerEpoch = 100) =>
    leader.onFollowerFetch({ brokerId, brokerEpoch, fetchOffset }, nowMs);
  return { log, leader, assignment, fetch };
}

describe('high watermark', () => {
  test('is the least synced position in the ISR, the own disk included', () => {
    const { log, leader, fetch } = lead([1, 2, 3]);
    log.append({ epoch: 5, value: 10 });
    fetch(2, 11);
    expect(leader.highWatermark).toBe(0);
    fetch(3, 11);
    expect(leader.highWatermark).toBe(10);
    log.sync();
    expect(leader.onSynced(1)).toBe(true);
    expect(leader.highWatermark).toBe(11);
  });

  test('waits for every member to fetch in this leader epoch: a replica removed and re-added may be empty', () => {
    const { leader, fetch } = lead([1, 2]);
    expect(leader.highWatermark).toBe(0);
    fetch(2, 0);
    expect(leader.highWatermark).toBe(0);
    fetch(2, 4);
    expect(leader.highWatermark).toBe(4);
  });

  test('never goes back when a member does', () => {
    const { leader, fetch } = lead([1, 2]);
    fetch(2, 8);
    fetch(2, 3);
    expect(leader.highWatermark).toBe(8);
  });

  test('stands still below min.insync.replicas, whatever a proposal says (KIP-966)', () => {
    const { leader, fetch } = lead([1], { minInSyncReplicas: 2 });
    expect(leader.hasEnoughReplicas).toBe(false);
    fetch(2, 10);
    expect(leader.maximalIsr).toEqual(new Set([1, 2]));
    expect(leader.highWatermark).toBe(0);
    const proposal = leader.takeProposal(0);
    leader.onAlterOutcome(proposal?.id ?? 0, ok(5, [1, 2], 8), 0);
    expect(leader.highWatermark).toBe(10);
  });

  test('is not current before it reaches the start of the epoch (KIP-207)', () => {
    const { leader, fetch } = lead([1, 2], { highWatermark: 6 });
    expect(leader.isHighWatermarkCurrent).toBe(false);
    fetch(2, 9);
    expect(leader.isHighWatermarkCurrent).toBe(false);
    fetch(2, 10);
    expect(leader.isHighWatermarkCurrent).toBe(true);
  });

  test('waits a moment for a follower that is about to join, but not for one that stalled', () => {
    const { log, leader, fetch } = lead([1]);
    fetch(2, 10, 0);
    leader.onAlterOutcome(leader.takeProposal(0)?.id ?? 0, refused(ERROR_CODE.INELIGIBLE_REPLICA), 0);
    log.write(5, 10);
    leader.onSynced(1);
    expect(leader.highWatermark).toBe(11);
    fetch(2, 11, 2_000);
    log.write(5, 11);
    const id = leader.takeProposal(2_000)?.id ?? 0;
    leader.onAlterOutcome(id, refused(ERROR_CODE.INELIGIBLE_REPLICA), 2_000);
    expect(leader.highWatermark).toBe(12);
  });
});

describe('maximal ISR (KIP-497)', () => {
  test('a proposed member counts from the proposal on, whatever becomes of the answer', () => {
    const { log, leader, fetch } = lead([1]);
    fetch(2, 10);
    const first = leader.takeProposal(0);
    expect(first?.isr).toEqual([
      { brokerId: 1, brokerEpoch: -1 },
      { brokerId: 2, brokerEpoch: 100 },
    ]);
    expect(leader.takeProposal(0)).toBeUndefined();
    log.write(5, 10, 11);
    leader.onSynced(1);
    expect(leader.highWatermark).toBe(10);
    expect(leader.onAlterOutcome(first?.id ?? 0, 'unknown', 1)).toBe('retry');
    leader.tick(60_000);
    expect(leader.highWatermark).toBe(10);
    expect(leader.takeProposal(60_000)?.isr.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
  });

  test('a metadata update that overtakes the answer settles the change; the answer is dropped (KAFKA-12686)', () => {
    const { leader, assignment, fetch } = lead([1]);
    fetch(2, 10);
    const proposal = leader.takeProposal(0);
    leader.update({ ...assignment, isr: [1, 2], partitionEpoch: 8 }, 0);
    expect(leader.isr).toEqual(new Set([1, 2]));
    fetch(3, 10);
    const next = leader.takeProposal(0);
    expect(next?.partitionEpoch).toBe(8);
    expect(leader.onAlterOutcome(proposal?.id ?? 0, ok(5, [1, 2], 8), 0)).toBe('stale');
    expect(leader.maximalIsr).toEqual(new Set([1, 2, 3]));
  });

  test('the answer first, the metadata update after it: ignored as old news', () => {
    const { leader, assignment, fetch } = lead([1]);
    fetch(2, 10);
    expect(leader.onAlterOutcome(leader.takeProposal(0)?.id ?? 0, ok(5, [1, 2], 8), 0)).toBe('committed');
    fetch(3, 10);
    expect(leader.update({ ...assignment, isr: [1, 2], partitionEpoch: 8 }, 0)).toBe(false);
    expect(leader.maximalIsr).toEqual(new Set([1, 2, 3]));
  });

  test('a stale partition epoch keeps counting and asking until metadata tells (KAFKA-13254)', () => {
    const { leader, assignment, fetch } = lead([1, 3]);
    fetch(2, 10);
    const id = leader.takeProposal(0)?.id ?? 0;
    expect(leader.onAlterOutcome(id, refused(ERROR_CODE.INVALID_UPDATE_VERSION), 0)).toBe('retry');
    expect(leader.maximalIsr).toEqual(new Set([1, 2, 3]));
    expect(leader.hasDueProposal(100)).toBe(true);
    leader.update({ ...assignment, isr: [1], partitionEpoch: 8 }, 0);
    expect(leader.maximalIsr).toEqual(new Set([1]));
    expect(leader.hasDueProposal(100)).toBe(false);
  });

  test('an ineligible replica (KIP-841) is rolled back, and not proposed again at once', () => {
    const { leader, fetch } = lead([1]);
    fetch(2, 10, 0);
    const id = leader.takeProposal(0)?.id ?? 0;
    expect(leader.onAlterOutcome(id, refused(ERROR_CODE.INELIGIBLE_REPLICA), 0)).toBe('rolledBack');
    expect(leader.maximalIsr).toEqual(new Set([1]));
    fetch(2, 10, 10);
    expect(leader.hasDueProposal(10)).toBe(false);
    fetch(2, 10, 1_001);
    expect(leader.hasDueProposal(1_001)).toBe(true);
  });

  test('a restarted process of an ineligible replica is proposed at once', () => {
    const { leader, fetch } = lead([1]);
    fetch(2, 10, 0);
    leader.onAlterOutcome(leader.takeProposal(0)?.id ?? 0, refused(ERROR_CODE.INELIGIBLE_REPLICA), 0);
    fetch(2, 10, 10, 101);
    expect(leader.takeProposal(10)?.isr).toContainEqual({ brokerId: 2, brokerEpoch: 101 });
  });

  test('a refusal after a lost answer moves the partition epoch first: the lost attempt may still be accepted', () => {
    const { log, leader, fetch } = lead([1]);
    fetch(2, 10);
    const id = leader.takeProposal(0)?.id ?? 0;
    leader.onAlterOutcome(id, 'unknown', 0);
    leader.takeProposal(100);
    expect(leader.onAlterOutcome(id, refused(ERROR_CODE.INELIGIBLE_REPLICA), 100)).toBe('retry');
    log.write(5, 10);
    leader.onSynced(100);
    expect(leader.highWatermark).toBe(10);
    const cancel = leader.takeProposal(1_000);
    expect(cancel?.isr.map(({ brokerId }) => brokerId)).toEqual([1]);
    expect(leader.onAlterOutcome(id, ok(5, [1], 8), 1_000)).toBe('committed');
    expect(leader.maximalIsr).toEqual(new Set([1]));
    expect(leader.highWatermark).toBe(11);
  });

  test('an answer of a later leader epoch does not shrink what counts', () => {
    const { leader, fetch } = lead([1]);
    fetch(2, 10);
    expect(leader.onAlterOutcome(leader.takeProposal(0)?.id ?? 0, ok(6, [1], 9), 0)).toBe('retry');
    expect(leader.maximalIsr).toEqual(new Set([1, 2]));
  });
});

describe('followers', () => {
  test('a fetch from before a restart proves nothing (KIP-903)', () => {
    const { leader, fetch } = lead([1]);
    fetch(2, 3, 0, 101);
    expect(fetch(2, 10, 1, 100)).toBe('staleBrokerEpoch');
    expect(fetch(2, 10, 1, -1)).toBe('staleBrokerEpoch');
    expect(leader.hasDueProposal(1)).toBe(false);
  });

  test('only assigned replicas count', () => {
    expect(lead([1]).fetch(9, 10)).toBe('notAReplica');
  });

  test('joins at the high watermark and the start of the epoch, not before', () => {
    const { leader, fetch } = lead([1], { highWatermark: 4 });
    fetch(2, 9);
    expect(leader.hasDueProposal(0)).toBe(false);
    fetch(2, 10);
    expect(leader.hasDueProposal(0)).toBe(true);
  });

  test('a member that stays behind for replica.lag.time.max.ms leaves, and the high watermark moves on', () => {
    const { log, leader, fetch } = lead([1, 2, 3]);
    fetch(2, 10, 0);
    fetch(3, 10, 0);
    log.write(5, 10);
    leader.onSynced(5);
    fetch(2, 11, 10_000);
    leader.tick(10_000);
    expect(leader.hasDueProposal(10_000)).toBe(false);
    leader.tick(10_001);
    const proposal = leader.takeProposal(10_001);
    expect(proposal?.isr.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
    expect(leader.highWatermark).toBe(10);
    leader.onAlterOutcome(proposal?.id ?? 0, ok(5, [1, 2], 8), 10_002);
    expect(leader.highWatermark).toBe(11);
  });

  test('a member that keeps up under steady load stays, though it never reaches the end', () => {
    const { log, leader, fetch } = lead([1, 2]);
    for (let second = 1; second <= 60; second++) {
      const endBefore = log.logEndOffset;
      log.write(5, second);
      fetch(2, endBefore, second * 1_000);
      leader.tick(second * 1_000);
    }
    expect(leader.hasDueProposal(60_000)).toBe(false);
  });

  test('an idle member is not lagging', () => {
    const { leader, fetch } = lead([1, 2]);
    fetch(2, 10, 0);
    leader.tick(60_000);
    expect(leader.hasDueProposal(60_000)).toBe(false);
  });
});
