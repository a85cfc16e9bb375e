import { expect, test } from 'vitest';
import { countStates, ReplicaLogs, topicHealth } from '../../../src/cli/health/partition-health.ts';
import { healthLine, partitionTable, sizeText } from '../../../src/cli/health/show-partitions.ts';

const partition = (number: number, leader: number | undefined, isr: number[]) => ({
  ...{ partition: number, leader, isr, leaderEpoch: 5, replicas: [1, 2, 3] },
  ...{ offlineReplicas: [], eligibleLeaderReplicas: [] },
});
const log = (number: number, endOffset: number) => ({
  ...{ topic: 't', partition: number, sizeBytes: endOffset * 10, startOffset: 2, endOffset },
});
const dirs = (...replicas: ReturnType<typeof log>[]) => [
  { path: '/d', totalBytes: undefined, usableBytes: undefined, replicas },
];
const topic = {
  ...{ name: 't', topicId: 'id', isInternal: false },
  partitions: [
    partition(0, 1, [1, 2, 3]),
    partition(1, 2, [2, 3]),
    partition(2, undefined, []),
    partition(3, 3, [3]),
  ],
};
/** Broker 3 does not answer. */
const logs = new ReplicaLogs(
  new Map([
    [1, dirs(log(0, 100), log(1, 70))],
    [2, dirs(log(0, 90), log(1, 80))],
  ]),
);

test('the worst comes first, with how far each replica is behind', () => {
  const health = topicHealth(topic, logs, 2);
  expect(health.map((each) => [each.partition, each.state])).toEqual([
    [2, 'offline'],
    [3, 'under-min-isr'],
    [1, 'under-replicated'],
    [0, 'ok'],
  ]);
  const whole = health[3];
  expect(whole).toMatchObject({ leader: 1, startOffset: 2, endOffset: 100, sizeBytes: 1000 });
  expect(whole?.replicas.map(({ broker, lag }) => [broker, lag])).toEqual([
    [1, 0],
    [2, 10],
    [3, null],
  ]);
  expect(health[2]?.replicas.map(({ lag, inSync }) => [lag, inSync])).toEqual([
    [10, false],
    [0, true],
    [null, true],
  ]);
  // Without its leader's log nobody can be compared.
  expect(health[1]?.replicas.map(({ lag }) => lag)).toEqual([null, null, null]);
  expect(countStates(health)).toEqual({ offline: 1, 'under-min-isr': 1, 'under-replicated': 1, ok: 1 });
  // A topic of fewer replicas than min.insync.replicas is not always alarming.
  expect(
    topicHealth({ ...topic, partitions: [{ ...partition(0, 1, [1]), replicas: [1] }] }, logs, 2),
  ).toMatchObject([{ state: 'ok' }]);
});

test('it is told in a line and in a table', () => {
  const health = topicHealth(topic, logs, 2);
  expect(healthLine(health)).toBe('4 partitions: 1 offline, 1 under-min-isr, 1 under-replicated');
  expect(healthLine(health.slice(3))).toBe('1 partition, all in sync');
  const lines = partitionTable(health, true, () => [0, 1]).split('\n');
  expect(lines[0]).toMatch(/^topic +partition +leader .* replica lag +size +state$/);
  expect(lines[1]).toMatch(/^t +2 +none .* \?,\?,\? +- +offline$/);
  expect([0, 1023, 1024, 1536 * 1024].map(sizeText)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 MiB']);
});
