/** What the state of a partition means to an operator. Pure: from the metadata and from what each broker has on disk. */

import type { LogDirDescription, PartitionDescription, TopicDescription } from '../../client/node.ts';

/** The worst first. `under-min-isr`: acks=all writes are refused. */
export const PARTITION_STATES = ['offline', 'under-min-isr', 'under-replicated', 'ok'] as const;
export type PartitionState = (typeof PARTITION_STATES)[number];

/** One replica's log, next to its leader's. */
interface ReplicaHealth {
  readonly broker: number;
  readonly inSync: boolean;
  readonly sizeBytes: number | null;
  readonly endOffset: number | null;
  /** Records that the leader has and this one has not; null where one of them does not answer. */
  readonly lag: number | null;
}

export interface PartitionHealth {
  readonly topic: string;
  readonly partition: number;
  readonly state: PartitionState;
  readonly leader: number | null;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  /** In the order of preference. */
  readonly replicas: readonly ReplicaHealth[];
  /** Of the leader's log. */
  readonly sizeBytes: number | null;
  readonly startOffset: number | null;
  readonly endOffset: number | null;
}

/** What each broker that answered has on its disk, by broker id. */
export type BrokerLogs = ReadonlyMap<number, readonly LogDirDescription[]>;
type ReplicaLog = LogDirDescription['replicas'][number];

/** Finds replicas' logs by topic, partition and broker. */
export class ReplicaLogs {
  readonly #logs = new Map<string, ReplicaLog>();

  constructor(brokers: BrokerLogs) {
    for (const [broker, dirs] of brokers) {
      for (const log of dirs.flatMap(({ replicas }) => replicas))
        this.#logs.set(`${log.topic}\n${log.partition}\n${broker}`, log);
    }
  }

  find(topic: string, partition: number, broker: number | undefined): ReplicaLog | undefined {
    return this.#logs.get(`${topic}\n${partition}\n${broker}`);
  }
}

/** Every partition of a topic, the worst first. */
export function topicHealth(
  topic: TopicDescription,
  logs: ReplicaLogs,
  minInSyncReplicas = 1,
): PartitionHealth[] {
  return topic.partitions
    .map((partition) => partitionHealth(topic.name, partition, logs, minInSyncReplicas))
    .sort(worstFirst);
}

export function worstFirst(a: PartitionHealth, b: PartitionHealth): number {
  const rank = ({ state }: PartitionHealth) => PARTITION_STATES.indexOf(state);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1;
}

function partitionHealth(
  topic: string,
  { partition, leader, leaderEpoch, replicas, isr }: PartitionDescription,
  logs: ReplicaLogs,
  minInSyncReplicas: number,
): PartitionHealth {
  const led = logs.find(topic, partition, leader);
  return {
    topic,
    partition,
    state: stateOf(leader, replicas.length, isr.length, minInSyncReplicas),
    leader: leader ?? null,
    leaderEpoch,
    isr,
    replicas: replicas.map((broker) => {
      const log = logs.find(topic, partition, broker);
      return {
        broker,
        inSync: isr.includes(broker),
        sizeBytes: log?.sizeBytes ?? null,
        endOffset: log?.endOffset ?? null,
        // The brokers were asked one after the other: a follower may seem to be ahead.
        lag: led && log ? Math.max(0, led.endOffset - log.endOffset) : null,
      };
    }),
    sizeBytes: led?.sizeBytes ?? null,
    startOffset: led?.startOffset ?? null,
    endOffset: led?.endOffset ?? null,
  };
}

function stateOf(
  leader: number | undefined,
  replicas: number,
  inSync: number,
  minInSyncReplicas: number,
): PartitionState {
  if (leader === undefined) return 'offline';
  if (inSync < Math.min(minInSyncReplicas, replicas)) return 'under-min-isr';
  return inSync < replicas ? 'under-replicated' : 'ok';
}

/** How many partitions are in each state. */
export function countStates(partitions: readonly PartitionHealth[]): Record<PartitionState, number> {
  const counts = { offline: 0, 'under-min-isr': 0, 'under-replicated': 0, ok: 0 };
  for (const { state } of partitions) counts[state] += 1;
  return counts;
}
