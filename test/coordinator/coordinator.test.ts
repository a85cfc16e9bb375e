import { beforeEach, describe, expect, it } from 'vitest';
import { GroupCoordinator } from '../../src/coordinator/coordinator.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { FakeLog, FakeLogger, FakeTime, settled, topicRecords } from './support/fakes.ts';

const TOPIC = 'AQEBAQEBAQEBAQEBAQEBAQ';
const CLIENT = { clientId: 'c', clientHost: 'h' };

let log: FakeLog;
let time: FakeTime;
let logger: FakeLogger;
let coordinator: GroupCoordinator;

beforeEach(async () => {
  log = new FakeLog();
  time = new FakeTime();
  logger = new FakeLogger();
  coordinator = new GroupCoordinator({ log, clock: time, timers: time, logger });
  await log.propose(topicRecords('t', TOPIC, 4));
  log.proposals.length = 0;
});

const beat = (memberId: string, memberEpoch: number, subscribedTopicNames: string[] | null = null) =>
  coordinator.heartbeat(
    {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames,
      serverAssignor: null,
      topicPartitions: null,
    },
    CLIENT,
  );

const commit = (groupId: string, partition: number, offset: number, memberId = '', epoch = -1) =>
  coordinator.commitOffsets({
    groupId,
    memberId,
    generationIdOrMemberEpoch: epoch,
    groupInstanceId: null,
    topics: [
      {
        topicId: TOPIC,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: -1,
            committedMetadata: null,
          },
        ],
      },
    ],
  });

const fetch = (groupId: string) =>
  coordinator.fetchOffsets({
    groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }],
    requireStable: false,
  });

/** Whether a promise has settled, without waiting for it. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  await settled();
  return done;
}

describe('a coordinator', () => {
  it('that is not active refuses everything with NOT_COORDINATOR', async () => {
    const { NOT_COORDINATOR } = ERROR_CODE;
    expect(await beat('a', 0, ['t'])).toMatchObject({ errorCode: NOT_COORDINATOR });
    const committed = await commit('g', 0, 1);
    expect(committed.topics[0]?.partitions[0]?.errorCode).toBe(NOT_COORDINATOR);
    expect((await fetch('g')).groups[0]?.errorCode).toBe(NOT_COORDINATOR);
    expect(await coordinator.listGroups({ statesFilter: [], typesFilter: [] })).toMatchObject({
      errorCode: NOT_COORDINATOR,
    });
    expect((await coordinator.describeGroups({ groupIds: ['g'] })).groups[0]?.errorCode).toBe(
      NOT_COORDINATOR,
    );
    expect((await coordinator.deleteGroups({ groupsNames: ['g'] })).results[0]?.errorCode).toBe(
      NOT_COORDINATOR,
    );
    expect(logger.lines).toHaveLength(6);
    expect(logger.lines.every(({ level }) => level === 'debug')).toBe(true);
  });

  it('answers a heartbeat when its records are committed, and one without records not before them', async () => {
    coordinator.onLeader();
    log.auto = false;
    const joining = beat('a', 0, ['t']);
    const following = beat('a', 1);
    expect(await isDone(joining)).toBe(false);
    expect(await isDone(following)).toBe(false);
    log.commit();
    expect(await joining).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    expect(await following).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    expect(await beat('a', 1)).toMatchObject({ errorCode: 0 });
  });

  it('gathers the commits that arrive while one is in flight into one entry', async () => {
    coordinator.onLeader();
    log.auto = false;
    const first = commit('g', 0, 1);
    const rest = [commit('g', 0, 2), commit('g', 1, 7), commit('h', 0, 9), commit('g', 0, 3)];
    await settled();
    expect(log.proposals).toHaveLength(1);
    log.commit(1);
    expect((await first).topics[0]?.partitions[0]?.errorCode).toBe(0);
    await settled();
    expect(log.proposals).toHaveLength(2);
    // One record per group, and of a partition the last commit alone.
    expect(log.proposals[1]).toMatchObject([
      {
        groupId: 'g',
        commits: [
          { partition: 0, offset: 3 },
          { partition: 1, offset: 7 },
        ],
      },
      { groupId: 'h', commits: [{ partition: 0, offset: 9 }] },
    ]);
    expect(await isDone(Promise.all(rest))).toBe(false);
    log.commit();
    await Promise.all(rest);
    expect(log.committed.groups.get('g')?.offsets.get(TOPIC)?.get(0)?.offset).toBe(3);
  });

  it('keeps waiting commits in front of whatever is decided after them', async () => {
    coordinator.onLeader();
    log.auto = false;
    const commits = [commit('g', 0, 1), commit('g', 0, 2)];
    const joining = beat('a', 0, ['t']);
    await settled();
    expect(log.proposals[1]?.map(({ type }) => type)).toEqual([
      'GroupOffsets',
      'Group',
      'GroupMember',
      'GroupTarget',
    ]);
    log.commit();
    await Promise.all([...commits, joining]);
  });

  it('refuses more waiting commits than its limit, as retriable', async () => {
    const limits = { commitsPendingMax: 2 };
    coordinator = new GroupCoordinator({ log, clock: time, timers: time, logger, limits });
    coordinator.onLeader();
    log.auto = false;
    const accepted = [commit('g', 0, 1), commit('g', 0, 2), commit('g', 0, 3)];
    const refused = await commit('g', 0, 4);
    expect(refused.topics[0]?.partitions[0]?.errorCode).toBe(ERROR_CODE.COORDINATOR_LOAD_IN_PROGRESS);
    log.commit();
    await settled();
    log.commit();
    await Promise.all(accepted);
  });

  it('reads offsets only after the quorum confirmed it', async () => {
    coordinator.onLeader();
    await commit('g', 2, 5);
    log.auto = false;
    const reading = fetch('g');
    expect(await isDone(reading)).toBe(false);
    log.commit();
    expect((await reading).groups[0]?.topics[0]?.partitions[0]).toMatchObject({ committedOffset: 5 });
    const lost = fetch('g');
    log.lose();
    expect((await lost).groups[0]?.errorCode).toBe(ERROR_CODE.NOT_COORDINATOR);
  });

  it('that loses the leadership answers whoever waits', async () => {
    coordinator.onLeader();
    log.auto = false;
    const waiting = [beat('a', 0, ['t']), beat('a', 1)];
    const commits = [commit('h', 0, 1), commit('h', 0, 2)];
    log.lose();
    coordinator.onNotLeader();
    for (const reply of await Promise.all(waiting)) expect(reply.errorCode).toBe(ERROR_CODE.NOT_COORDINATOR);
    for (const reply of await Promise.all(commits))
      expect(reply.topics[0]?.partitions[0]?.errorCode).toBe(ERROR_CODE.NOT_COORDINATOR);
    await time.pass(60_000);
    expect(log.committed.groups.size).toBe(0);
  });

  it('removes silent members by itself, and expired offsets in time', async () => {
    const limits = { offsetsRetentionMs: 3_600_000 };
    coordinator = new GroupCoordinator({ log, clock: time, timers: time, logger, limits });
    coordinator.onLeader();
    await beat('a', 0, ['t']);
    await commit('g', 0, 1, 'a', 1);
    await time.pass(5_900);
    expect(log.committed.groups.get('g')?.members.size).toBe(1);
    await time.pass(200);
    expect(log.committed.groups.get('g')?.members.size).toBe(0);
    await time.pass(3_500_000);
    expect(log.committed.groups.has('g')).toBe(true);
    await time.pass(700_000);
    expect(log.committed.groups.has('g')).toBe(false);
  });

  it('lists, describes and deletes groups', async () => {
    coordinator.onLeader();
    await beat('a', 0, ['t']);
    await commit('offsets-only', 0, 1);
    const listed = await coordinator.listGroups({ statesFilter: [], typesFilter: [] });
    expect(listed.groups.map(({ groupId, groupState }) => [groupId, groupState])).toEqual([
      ['g', 'Stable'],
      ['offsets-only', 'Empty'],
    ]);
    const empty = await coordinator.listGroups({ statesFilter: ['EMPTY'], typesFilter: ['Consumer'] });
    expect(empty.groups).toHaveLength(1);
    expect((await coordinator.listGroups({ statesFilter: [], typesFilter: ['share'] })).groups).toEqual([]);
    const described = await coordinator.describeGroups({ groupIds: ['g', 'none'] });
    expect(described.groups[0]).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 1,
      assignorName: 'uniform',
      members: [{ memberId: 'a', clientId: 'c', assignment: [{ topicName: 't', partitions: [0, 1, 2, 3] }] }],
    });
    expect(described.groups[1]).toMatchObject({
      groupState: 'Dead',
      errorCode: ERROR_CODE.GROUP_ID_NOT_FOUND,
    });
    const deleted = await coordinator.deleteGroups({ groupsNames: ['g', 'offsets-only', 'none'] });
    expect(deleted.results).toEqual([
      { groupId: 'g', errorCode: ERROR_CODE.NON_EMPTY_GROUP },
      { groupId: 'offsets-only', errorCode: ERROR_CODE.NONE },
      { groupId: 'none', errorCode: ERROR_CODE.GROUP_ID_NOT_FOUND },
    ]);
    expect(log.committed.groups.has('offsets-only')).toBe(false);
  });
});
