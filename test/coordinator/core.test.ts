import { beforeEach, describe, expect, it } from 'vitest';
import { GroupCoordinatorCore } from '../../src/coordinator/core.ts';
import { GROUP_LIMITS } from '../../src/coordinator/limits.ts';
import { decideCommit, expiredOffsets, fetchOffsets } from '../../src/coordinator/offsets.ts';
import { MetadataImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/records.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/messages/consumer-group-heartbeat.ts';

const TOPIC = 'AQEBAQEBAQEBAQEBAQEBAQ';
const EMPTY: ConsumerGroupHeartbeatRequest = {
  groupId: 'g',
  memberId: '',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  serverAssignor: null,
  topicPartitions: null,
};

let image: MetadataImage;
let core: GroupCoordinatorCore;
let nowMs: number;

beforeEach(() => {
  nowMs = 1_000;
  image = MetadataImage.EMPTY;
  core = new GroupCoordinatorCore(GROUP_LIMITS);
  core.reset(image, now());
  apply([{ type: 'Topic', name: 't', topicId: TOPIC }]);
  growTo(4);
});

const now = () => ({ monotonicMs: nowMs, wallMs: nowMs });

function apply(records: readonly MetadataRecord[]): void {
  if (records.length > 0) image = image.apply(records, image.index + 1);
}

function growTo(count: number): void {
  const start = image.topics.get(TOPIC)?.partitions.length ?? 0;
  for (let partition = start; partition < count; partition++) {
    const epochs = { leader: 1, leaderEpoch: 0, partitionEpoch: 0 };
    apply([{ type: 'Partition', topicId: TOPIC, partition, replicas: [1], isr: [1], elr: [], ...epochs }]);
  }
}

function beat(memberId: string, memberEpoch: number, more: Partial<ConsumerGroupHeartbeatRequest> = {}) {
  const request = { ...EMPTY, memberId, memberEpoch, ...more };
  const { records, reply } = core.heartbeat(image, request, { clientId: 'c', clientHost: 'h' }, now());
  apply(records);
  return { ...reply, written: records.length };
}

const join = (memberId: string) => beat(memberId, 0, { subscribedTopicNames: ['t'], topicPartitions: [] });
const owning = (...partitions: number[]) => ({
  topicPartitions: partitions.length > 0 ? [{ topicId: TOPIC, partitions }] : [],
});
const assigned = (reply: Pick<ConsumerGroupHeartbeatResponse, 'assignment'>) =>
  reply.assignment && (reply.assignment.topicPartitions[0]?.partitions ?? []);
const code = (name: keyof typeof ERROR_CODE) => expect.objectContaining({ code: name });

describe('a connection that ends', () => {
  const connected = (connection: object) => {
    const request = { ...EMPTY, memberId: 'a', memberEpoch: 1 };
    core.heartbeat(image, request, { clientId: 'c', clientHost: 'h', connection }, now());
  };
  const evictedAfter = (ms: number) => {
    nowMs += ms;
    return core.tick(image, now()).evictions.map(({ memberId }) => memberId);
  };
  const { groupDisconnectGraceMs, groupSessionTimeoutMs } = GROUP_LIMITS;

  it('leaves its member little time to come back', () => {
    const [first, second] = [{}, {}];
    join('a');
    connected(first);
    core.disconnected('g', 'a', first, now());
    expect(evictedAfter(groupDisconnectGraceMs - 1)).toEqual([]);
    connected(second);
    expect(evictedAfter(groupDisconnectGraceMs)).toEqual([]);
    core.disconnected('g', 'a', second, now());
    expect(evictedAfter(groupDisconnectGraceMs)).toEqual(['a']);
  });

  it('means nothing for a member that was heard by another one since', () => {
    const [first, second] = [{}, {}];
    join('a');
    connected(first);
    connected(second);
    core.disconnected('g', 'a', first, now());
    expect(evictedAfter(groupSessionTimeoutMs - 1)).toEqual([]);
  });
});

it('members have a session and some grace to find a new coordinator, or the grace alone when the old one is dead', () => {
  const { groupTakeoverGraceMs, groupSessionTimeoutMs } = GROUP_LIMITS;
  join('a');
  const patienceOf = (predecessor: 'dead' | 'unknown') => {
    core.reset(image, now(), predecessor);
    let ms = 0;
    while (core.tick(image, { ...now(), monotonicMs: nowMs + ms }).evictions.length === 0) ms += 500;
    return ms;
  };
  expect(patienceOf('unknown')).toBe(groupSessionTimeoutMs + groupTakeoverGraceMs);
  expect(patienceOf('dead')).toBe(groupTakeoverGraceMs);
});

describe('a heartbeat', () => {
  it('of the first member takes all, and then changes nothing', () => {
    const joined = join('a');
    expect(joined).toMatchObject({
      memberEpoch: 1,
      heartbeatIntervalMs: GROUP_LIMITS.groupHeartbeatIntervalMs,
    });
    expect(assigned(joined)).toEqual([0, 1, 2, 3]);
    expect(beat('a', 1, owning(0, 1, 2, 3))).toMatchObject({ assignment: null, written: 0 });
    expect(beat('a', 1)).toMatchObject({ assignment: null, written: 0 });
  });

  it('tells a member that what it was granted, and did not take up yet, is no longer granted', () => {
    join('a');
    expect(assigned(beat('a', 1))).toEqual([0, 1, 2, 3]);
    join('b');
    expect(assigned(beat('a', 1, owning(0, 1)))).toEqual([0, 1]);
    expect(assigned(beat('a', 1, owning(0, 1)))).toBeNull();
  });

  it('repeats an assignment until the member reports to own exactly that', () => {
    join('a');
    expect(assigned(beat('a', 1))).toEqual([0, 1, 2, 3]);
    expect(assigned(beat('a', 1, owning(0, 1)))).toEqual([0, 1, 2, 3]);
    expect(assigned(beat('a', 1))).toEqual([0, 1, 2, 3]);
    expect(assigned(beat('a', 1, owning(0, 1, 2, 3)))).toBeNull();
  });

  it('passes partitions on only when the old owner confirmed the release', () => {
    join('a');
    beat('a', 1, owning(0, 1, 2, 3));
    const b = join('b');
    expect(assigned(b)).toEqual([]);
    expect(b).toMatchObject({
      memberEpoch: 2,
      heartbeatIntervalMs: GROUP_LIMITS.groupRebalanceHeartbeatIntervalMs,
    });
    const told = beat('a', 1, owning(0, 1, 2, 3));
    expect(told.memberEpoch).toBe(1);
    const kept = assigned(told) ?? [];
    expect(kept).toHaveLength(2);
    // Unchanged, partly released: not enough.
    beat('a', 1);
    beat('a', 1, owning(0, 1, 2));
    expect(assigned(beat('b', 2, owning()))).toBeNull();
    expect(beat('a', 1, owning(...kept)).memberEpoch).toBe(2);
    const granted = assigned(beat('b', 2, owning())) ?? [];
    expect([...kept, ...granted].sort()).toEqual([0, 1, 2, 3]);
  });

  it('counts a release only from a heartbeat after the order', () => {
    join('a');
    join('b');
    // a was granted 0 to 3 in a response that it may be taking up: this report was made before it knew.
    expect(beat('a', 1, owning()).memberEpoch).toBe(1);
    expect(assigned(beat('b', 2, owning()))).toBeNull();
  });

  it('does not take silence about what was granted since the last report for a release', () => {
    // The last report of a, its join, was that it owns nothing; it may be taking the grant up right now.
    join('a');
    apply([{ type: 'RemoveTopic', topicId: TOPIC }]);
    expect(assigned(beat('a', 1))).toEqual([]);
    beat('a', 1);
    expect(image.groups.get('g')?.members.get('a')?.partitionsPendingRevocation).toHaveLength(1);
    beat('a', 1, owning());
    expect(image.groups.get('g')?.members.get('a')?.partitionsPendingRevocation).toHaveLength(0);
  });

  it('raises the epoch with each release, so that commits under way for it are stale', () => {
    join('a');
    beat('a', 1, owning(0, 1, 2, 3));
    join('b');
    const kept = assigned(beat('a', 1, owning(0, 1, 2, 3))) ?? [];
    join('c');
    join('d');
    // a confirms the first release while the next is due already: it does not reach the target epoch yet.
    const again = beat('a', 1, owning(...kept));
    expect(again.memberEpoch).toBe(2);
    expect(assigned(again)).toHaveLength(1);
    const late = {
      groupId: 'g',
      memberId: 'a',
      generationIdOrMemberEpoch: 1,
      groupInstanceId: null,
      topics: [],
    };
    expect(() => decideCommit(image, late, 0, GROUP_LIMITS)).toThrow(code('STALE_MEMBER_EPOCH'));
  });

  it('accepts the epoch before when the member cannot own too much, and fences all others', () => {
    join('a');
    join('b');
    beat('a', 1, owning(0, 1, 2, 3));
    const kept = assigned(beat('a', 1, owning(0, 1, 2, 3))) ?? [];
    expect(beat('a', 1, owning(...kept)).memberEpoch).toBe(2);
    expect(beat('a', 1, owning(...kept)).memberEpoch).toBe(2);
    expect(() => beat('a', 1, owning(0, 1, 2, 3))).toThrow(code('FENCED_MEMBER_EPOCH'));
    expect(() => beat('a', 1)).toThrow(code('FENCED_MEMBER_EPOCH'));
    expect(() => beat('a', 3)).toThrow(code('FENCED_MEMBER_EPOCH'));
    expect(() => beat('x', 1)).toThrow(code('UNKNOWN_MEMBER_ID'));
  });

  it('joining again frees nothing that the member may still hold, and fences its older self', () => {
    join('a');
    beat('a', 1, owning(0, 1, 2, 3));
    join('b');
    const kept = assigned(beat('a', 1, owning(0, 1, 2, 3))) ?? [];
    // A join of a's beginnings, delayed: a itself still speaks in epoch 1.
    const rejoined = join('a');
    expect(assigned(rejoined)).toEqual(kept);
    expect(() => beat('a', 1)).toThrow(code('FENCED_MEMBER_EPOCH'));
    expect(assigned(beat('b', 2, owning()))).toBeNull();
    beat('a', rejoined.memberEpoch, owning(...kept));
    expect(
      assigned(beat('b', image.groups.get('g')?.members.get('b')?.memberEpoch ?? 0, owning())),
    ).toHaveLength(2);
  });

  it('follows the topics: growth, deletion, and those created later', () => {
    join('a');
    growTo(6);
    expect(assigned(beat('a', 1))).toEqual([0, 1, 2, 3, 4, 5]);
    apply([{ type: 'RemoveTopic', topicId: TOPIC }]);
    expect(assigned(beat('a', 2, owning(0, 1, 2, 3, 4, 5)))).toEqual([]);
    expect(beat('a', 2, owning()).memberEpoch).toBe(3);
    const other = 'AgICAgICAgICAgICAgICAg';
    const epochs = { leader: 1, leaderEpoch: 0, partitionEpoch: 0 };
    apply([{ type: 'Topic', name: 't', topicId: other }]);
    apply([{ type: 'Partition', topicId: other, partition: 0, replicas: [1], isr: [1], elr: [], ...epochs }]);
    expect(beat('a', 3).assignment?.topicPartitions).toEqual([{ topicId: other, partitions: [0] }]);
  });

  it('that leaves frees its partitions at once', () => {
    join('a');
    join('b');
    expect(beat('a', -1)).toMatchObject({ memberEpoch: -1 });
    expect(assigned(beat('b', 2))).toEqual([0, 1, 2, 3]);
    beat('b', -1);
    expect(image.groups.get('g')).toMatchObject({ emptySinceMs: nowMs });
    expect(() => beat('b', -1)).toThrow(code('UNKNOWN_MEMBER_ID'));
  });

  it('uses the assignor that most members ask for', () => {
    beat('a', 0, { subscribedTopicNames: ['t'], serverAssignor: 'range' });
    expect(image.groups.get('g')?.assignorName).toBe('range');
    join('b');
    expect(image.groups.get('g')?.assignorName).toBe('range');
    join('c');
    expect(image.groups.get('g')?.assignorName).toBe('uniform');
  });

  it.each([
    ['INVALID_GROUP_ID', { groupId: '' }],
    ['INVALID_REQUEST', { memberId: '' }],
    ['INVALID_REQUEST', { memberEpoch: -2 }],
    ['INVALID_REQUEST', { subscribedTopicNames: null }],
    ['INVALID_REQUEST', { instanceId: 'static' }],
    ['INVALID_REQUEST', { topicPartitions: [{ topicId: TOPIC, partitions: [0] }] }],
    ['UNSUPPORTED_ASSIGNOR', { serverAssignor: 'sticky' }],
  ] as const)('is refused with %s: %j', (name, more) => {
    const request = { ...EMPTY, memberId: 'a', subscribedTopicNames: ['t'], ...more } as typeof EMPTY;
    expect(() => core.heartbeat(image, request, { clientId: '', clientHost: '' }, now())).toThrow(code(name));
  });
});

describe('time', () => {
  const tickFor = (ms: number) => {
    const evictions: unknown[] = [];
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += 100;
      const tick = core.tick(image, now());
      apply(tick.records);
      evictions.push(...tick.evictions);
    }
    return evictions;
  };

  it('removes a member that is silent for a session', () => {
    join('a');
    join('b');
    tickFor(5_000);
    beat('b', 2);
    expect(tickFor(1_000)).toEqual([{ groupId: 'g', memberId: 'a', reason: 'session expired' }]);
    expect(assigned(beat('b', 2))).toEqual([0, 1, 2, 3]);
  });

  it('removes a member that keeps what it was told to give up', () => {
    beat('a', 0, { subscribedTopicNames: ['t'], rebalanceTimeoutMs: 10_000 });
    join('b');
    beat('a', 1, owning(0, 1, 2, 3));
    for (let i = 0; i < 9; i++) {
      expect(tickFor(1_000)).toEqual([]);
      beat('a', 1);
      beat('b', 2);
    }
    expect(tickFor(1_000)).toEqual([{ groupId: 'g', memberId: 'a', reason: 'rebalance timeout' }]);
  });

  it('forgives members a stall of this node itself', () => {
    join('a');
    tickFor(1_000);
    nowMs += 60_000;
    expect(core.tick(image, now()).evictions).toEqual([]);
    expect(tickFor(6_000)).toHaveLength(1);
  });

  it('gives members a whole session, and grace, after a failover', () => {
    join('a');
    nowMs += 5_900;
    core = new GroupCoordinatorCore(GROUP_LIMITS);
    core.reset(image, now());
    expect(tickFor(7_900)).toEqual([]);
    expect(tickFor(100)).toHaveLength(1);
  });
});

describe('offsets', () => {
  const commitAs = (
    memberId: string,
    epoch: number,
    partition = 0,
    offset = 5,
    metadata: string | null = null,
  ) => {
    const partitions = [
      {
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: 3,
        committedMetadata: metadata,
      },
    ];
    const ids = { groupId: 'g', memberId, generationIdOrMemberEpoch: epoch, groupInstanceId: null };
    const decided = decideCommit(
      image,
      { ...ids, topics: [{ topicId: TOPIC, partitions }] },
      nowMs,
      GROUP_LIMITS,
    );
    if (decided.commits.length > 0) apply([{ type: 'GroupOffsets', groupId: 'g', commits: decided.commits }]);
    return decided.response.topics[0]?.partitions[0]?.errorCode;
  };
  const fetchAs = (memberId: string | null, memberEpoch: number) =>
    fetchOffsets(image, { groupId: 'g', memberId, memberEpoch, topics: null });

  it('are committed by members of the current epoch, and by nobody else', () => {
    join('a');
    expect(commitAs('a', 1)).toBe(ERROR_CODE.NONE);
    expect(() => commitAs('a', 0)).toThrow(code('STALE_MEMBER_EPOCH'));
    expect(() => commitAs('x', 1)).toThrow(code('UNKNOWN_MEMBER_ID'));
    expect(() => commitAs('', -1)).toThrow(code('UNKNOWN_MEMBER_ID'));
    expect(fetchAs('a', 1).topics[0]?.partitions[0]).toMatchObject({
      committedOffset: 5,
      committedLeaderEpoch: 3,
    });
    expect(fetchAs('a', 0).errorCode).toBe(ERROR_CODE.STALE_MEMBER_EPOCH);
    expect(fetchAs('x', 1).errorCode).toBe(ERROR_CODE.UNKNOWN_MEMBER_ID);
    expect(fetchAs(null, -1).errorCode).toBe(ERROR_CODE.NONE);
  });

  it('of a group without members are free to whoever assigns partitions by hand', () => {
    expect(commitAs('', -1)).toBe(ERROR_CODE.NONE);
    expect(commitAs('', -1, 9)).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    expect(commitAs('', -1, 0, -3)).toBe(ERROR_CODE.INVALID_REQUEST);
    expect(commitAs('', -1, 0, 1, 'x'.repeat(5_000))).toBe(ERROR_CODE.OFFSET_METADATA_TOO_LARGE);
    apply([{ type: 'RemoveTopic', topicId: TOPIC }]);
    expect(commitAs('', -1)).toBe(ERROR_CODE.UNKNOWN_TOPIC_ID);
    expect(image.groups.get('g')?.offsets.size).toBe(0);
  });

  it('expire when the group has been empty for the retention time, and the group with them', () => {
    join('a');
    commitAs('a', 1);
    const retention = GROUP_LIMITS.offsetsRetentionMs;
    expect(expiredOffsets(image, nowMs + 2 * retention, GROUP_LIMITS)).toEqual([]);
    nowMs += retention;
    beat('a', -1);
    expect(expiredOffsets(image, nowMs + retention - 1, GROUP_LIMITS)).toEqual([]);
    expect(expiredOffsets(image, nowMs + retention, GROUP_LIMITS)).toEqual([
      { type: 'RemoveGroupOffsets', groupId: 'g', topicId: TOPIC, partition: 0 },
      { type: 'RemoveGroup', groupId: 'g' },
    ]);
  });
});
