/** What one broker has on its disk, in an administrator's terms. */

import { DescribeLogDirs } from '../protocol/messages/describe-log-dirs.ts';
import { check } from './admin-retry.ts';
import type { LogDirDescription } from './admin-types.ts';
import type { Cluster } from './cluster.ts';
import type { TopicPartition } from './consumer-options.ts';
import { byTopic } from './grouping.ts';

/** Asks one broker for its log directories: of these partitions, or of all where they are `null`. One attempt. */
export async function describeLogDirs(
  cluster: Cluster,
  broker: number,
  of: readonly TopicPartition[] | null,
): Promise<LogDirDescription[]> {
  const response = await cluster.send(broker, DescribeLogDirs, { topics: of && byTopic(of) });
  check(response);
  return response.results.map((dir) => {
    check(dir);
    return {
      path: dir.logDir,
      totalBytes: dir.totalBytes < 0 ? undefined : dir.totalBytes,
      usableBytes: dir.usableBytes < 0 ? undefined : dir.usableBytes,
      replicas: dir.topics.flatMap(({ name, partitions }) =>
        partitions.map((each) => ({
          topic: name,
          partition: each.partitionIndex,
          sizeBytes: each.partitionSize,
          startOffset: each.logStartOffset,
          endOffset: each.logEndOffset,
        })),
      ),
    };
  });
}
