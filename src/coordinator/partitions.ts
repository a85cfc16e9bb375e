/** Sets of partitions: as keys while deciding, as sorted lists per topic in messages and records. */

/** The partitions of one topic, as messages and records carry them. */
export interface TopicPartitions {
  topicId: string;
  partitions: number[];
}

/** One partition as a string, fit for a Set: the topic id, a colon, the partition. */
export type PartitionKey = string;

/** An empty set, to be shared; a `ReadonlySet`, so that nobody adds to it. */
export const NO_PARTITIONS: ReadonlySet<PartitionKey> = new Set();

export function partitionKey(topicId: string, partition: number): PartitionKey {
  return `${topicId}:${partition}`;
}

export function parseKey(key: PartitionKey): { readonly topicId: string; readonly partition: number } {
  const colon = key.lastIndexOf(':');
  return { topicId: key.slice(0, colon), partition: Number(key.slice(colon + 1)) };
}

export function toKeys(
  topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): Set<PartitionKey> {
  const keys = new Set<PartitionKey>();
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) keys.add(partitionKey(topicId, partition));
  }
  return keys;
}

/** Sorted by topic id, then partition: equal sets give equal lists. */
export function toTopics(keys: Iterable<PartitionKey>): TopicPartitions[] {
  const byTopic = new Map<string, number[]>();
  for (const key of keys) {
    const { topicId, partition } = parseKey(key);
    const partitions = byTopic.get(topicId);
    if (partitions) partitions.push(partition);
    else byTopic.set(topicId, [partition]);
  }
  return [...byTopic]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }));
}

export function sameKeys(a: ReadonlySet<PartitionKey>, b: ReadonlySet<PartitionKey>): boolean {
  return a.size === b.size && isSubset(a, b);
}

export function isSubset(part: ReadonlySet<PartitionKey>, whole: ReadonlySet<PartitionKey>): boolean {
  for (const key of part) if (!whole.has(key)) return false;
  return true;
}

export function overlaps(a: ReadonlySet<PartitionKey>, b: ReadonlySet<PartitionKey>): boolean {
  for (const key of a) if (b.has(key)) return true;
  return false;
}
