/** Partitions that somebody names: one that was added a moment ago may be unknown to the broker that is asked. */

import type { Cluster } from './cluster.ts';
import { ClientError } from './errors.ts';
import type { TopicMetadata } from './metadata-cache.ts';

/** How long a partition is waited for that its topic does not have, as far as is known. */
const PARTITION_WAIT_MS = 5_000;

/**
 * The topic, once it is there and has that partition.
 *
 * @throws ClientError `INVALID_STATE` where there is no such partition after 5,000 ms
 * @throws KafkaError `UNKNOWN_TOPIC_OR_PARTITION` when the topic did not appear in time
 */
export async function knownPartition(
  cluster: Cluster,
  name: string,
  partition: number,
  deadlineMs: number,
): Promise<TopicMetadata> {
  const topic = await cluster.topic(name, deadlineMs);
  if (topic.partitions[partition] !== undefined) return topic;
  const untilMs = Math.min(deadlineMs, cluster.runtime.clock.monotonicMs() + PARTITION_WAIT_MS);
  try {
    return await cluster.topicWithPartition(name, partition, untilMs);
  } catch (cause) {
    const message = `${name} has ${topic.partitions.length} partitions, so there is no partition ${partition}`;
    throw new ClientError('INVALID_STATE', message, { cause });
  }
}
