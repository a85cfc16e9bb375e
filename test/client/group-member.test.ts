import { expect, test } from 'vitest';
import { GroupMember } from '../../src/client/group-member.ts';
import { KafkaError } from '../../src/protocol/errors.ts';

const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAQ';
const SESSION_TIMEOUT_MS = 6_000;
const DISCONNECT_GRACE_MS = 1_500;

function answer(partitions: number[] | null, memberEpoch = 1) {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    memberId: 'm',
    memberEpoch,
    heartbeatIntervalMs: 500,
    assignment: partitions && { topicPartitions: [{ topicId: TOPIC, partitions }] },
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    disconnectGraceMs: DISCONNECT_GRACE_MS,
  };
}

/** A member that owns partition 0; its last answered heartbeat was sent at 1000. */
function owner(): GroupMember {
  const member = new GroupMember({
    groupId: 'g',
    memberId: 'm',
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 60_000,
    serverAssignor: null,
  });
  member.subscribe(['t'], 0);
  member.heartbeat(0);
  member.onAnswer(answer([0]), 1, 0);
  const step = member.begin();
  if (step) member.completed(step, 2);
  member.heartbeat(1_000);
  member.onAnswer(answer(null), 1_010, 0);
  return member;
}

test('a member that is not answered owns its partitions for a session, then loses them and joins again', () => {
  const member = owner();
  expect(member.heartbeat(1_600)).toBeDefined();
  expect(member.ownsUntilMs).toBe(1_000 + SESSION_TIMEOUT_MS);
  expect(member.expire(6_999)).toBe(false);
  expect(member.expire(7_000)).toBe(true);
  const step = member.begin();
  expect(step).toMatchObject({ kind: 'lost', partitions: [{ partition: 0 }] });
  if (step) member.completed(step, 7_001);
  // The answer to the heartbeat of the old membership comes late, and says nothing any more.
  member.onAnswer(answer([0]), 7_002, 0);
  expect(member.begin()).toBeUndefined();
  expect(member.heartbeat(7_002)).toMatchObject({ memberEpoch: 0, topicPartitions: [] });
});

test('a member that lost its connection uses its partitions for the grace only, but gives none up', () => {
  const member = owner();
  member.heartbeat(1_600);
  member.onFailure(new KafkaError('NETWORK_EXCEPTION'), 1_700, 1_800);
  expect(member.ownsUntilMs).toBe(1_000 + DISCONNECT_GRACE_MS);
  expect(member.expire(3_000)).toBe(false);
  member.heartbeat(3_000);
  member.onAnswer(answer(null), 3_010, 0);
  expect(member.ownsUntilMs).toBe(3_000 + SESSION_TIMEOUT_MS);
  expect(member.begin()).toBeUndefined();
});

test('what a member said not to own it takes up only when it is granted again', () => {
  const member = owner();
  member.heartbeat(1_600);
  member.onAnswer(answer([0, 1]), 1_610, 0);
  expect(member.heartbeat(2_200)?.topicPartitions).toEqual([{ topicId: TOPIC, partitions: [0] }]);
  // The coordinator may have given partition 1 to somebody else by now.
  expect(member.begin()).toBeUndefined();
  member.onAnswer(answer([0, 1]), 2_210, 0);
  expect(member.begin()).toMatchObject({ kind: 'assign', partitions: [{ partition: 1 }] });
});

test('partitions that are being taken up are told as owned: left out, they would count as given up', () => {
  const member = owner();
  member.heartbeat(1_600);
  member.onAnswer(answer([0, 1]), 1_610, 0);
  expect(member.begin()).toMatchObject({ kind: 'assign', partitions: [{ partition: 1 }] });
  member.heartbeat(1_700);
  member.onFailure(new KafkaError('REQUEST_TIMED_OUT'), 1_800, 1_800);
  expect(member.heartbeat(1_800)?.topicPartitions).toEqual([{ topicId: TOPIC, partitions: [0, 1] }]);
});
